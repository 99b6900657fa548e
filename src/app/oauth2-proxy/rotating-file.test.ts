import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { defaultProxyConfig, type ProxyConfig } from '../../proxy/typed-config.ts'
import { openRotatingFile } from './rotating-file.ts'

const day = 24 * 3_600_000
const start = Date.UTC(2026, 0, 31, 12)

let directory = ''
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A log that is full after one line of `x`. */
function opened(values: Partial<ProxyConfig> = {}) {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
  let now = start
  const config = {
    ...defaultProxyConfig,
    logging_filename: join(directory, 'logs', 'proxy.log'),
    logging_max_size: 1,
    logging_local_time: false,
    ...values,
  }
  const file = openRotatingFile(config, () => now)
  const fill = (letter: string) => file.write(letter.repeat(700_000))
  return {
    file,
    fill,
    names: () => readdirSync(join(directory, 'logs')).toSorted(),
    at: (time: number) => (now = time),
  }
}

test('a full file is set aside under its time, and a new one goes on', () => {
  const { file, fill, names } = opened()
  fill('a')
  fill('b')
  file.close()
  expect(names()).toEqual(['proxy-2026-01-31T12-00-00.000.log', 'proxy.log'])
  expect(readFileSync(join(directory, 'logs', 'proxy.log'), 'utf8')).toMatch(/^b+$/)
})

test('the newest are kept, up to logging_max_backups', () => {
  const { file, fill, names, at } = opened({ logging_max_backups: 2, logging_max_age: 0 })
  for (const hour of [0, 1, 2, 3]) {
    at(start + hour * 3_600_000)
    fill('a')
  }
  file.close()
  expect(names()).toEqual(['proxy-2026-01-31T14-00-00.000.log', 'proxy-2026-01-31T15-00-00.000.log', 'proxy.log'])
})

test('those older than logging_max_age days go, other files stay', () => {
  const { file, fill, names, at } = opened({ logging_max_age: 1 })
  writeFileSync(join(directory, 'logs', 'proxy-notes.log'), '')
  for (const days of [0, 0.5, 3]) {
    at(start + days * day)
    fill('a')
  }
  file.close()
  expect(names()).toEqual(['proxy-2026-02-03T12-00-00.000.log', 'proxy-notes.log', 'proxy.log'])
})

test('backups are compressed where that is wanted', async () => {
  const { file, fill } = opened({ logging_compress: true })
  fill('a')
  fill('b')
  file.close()
  const backup = join(directory, 'logs', 'proxy-2026-01-31T12-00-00.000.log')
  await vi.waitUntil(() => !existsSync(backup))
  expect(gunzipSync(readFileSync(`${backup}.gz`)).toString()).toMatch(/^a+$/)
})

test('an earlier file is written on, not anew', () => {
  const { file } = opened()
  file.write('one\n')
  file.close()
  const config = { ...defaultProxyConfig, logging_filename: join(directory, 'logs', 'proxy.log') }
  const again = openRotatingFile(config, () => start)
  again.write('two\n')
  again.close()
  expect(readFileSync(config.logging_filename, 'utf8')).toBe('one\ntwo\n')
})

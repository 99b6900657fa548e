import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultProxyConfig } from '../../proxy/typed-config.ts'
import { openOutput } from './output.ts'

test('a line that comes after the end is dropped, and breaks nothing', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'gatehouse-output-')), 'proxy.log')
  const output = openOutput({ ...defaultProxyConfig, logging_filename: path }, () => 0)
  output.write('before')
  output.close()
  output.write('after')
  await nextTurn()
  expect(readFileSync(path, 'utf8')).toBe('before\n')
})

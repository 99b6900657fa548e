import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fingerprint, type WatchedFiles, watchFiles } from '../../src/app/watch-files.ts'
import { openLog } from '../../src/kit/log.ts'
import { namedSource, Problems } from '../../src/kit/problems.ts'

let directory = ''
let watched: WatchedFiles
let applied: string[]
let lines: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-watch-'))
  write('a.yaml', 'one')
  applied = []
  lines = []
  watched = watchFiles({
    path: directory,
    since: fingerprint(directory),
    load() {
      const text = readFileSync(join(directory, 'a.yaml'), 'utf8')
      const problems = new Problems()
      if (text === 'broken') problems.error(namedSource('a.yaml'), [], 'this is broken')
      problems.throwIfAny()
      return text
    },
    apply: (text) => applied.push(text),
    log: openLog({ level: 'info', now: () => 0, write: (line) => lines.push(line) }),
  })
})
afterEach(() => {
  watched.close()
  rmSync(directory, { recursive: true })
})

let ticks = 0

/** Writes a file with a time of its own, however fast the test runs. */
function write(name: string, text: string): void {
  const path = join(directory, name)
  writeFileSync(path, text)
  ticks += 1
  utimesSync(path, ticks, ticks)
}

test('a change is applied once it has rested', () => {
  watched.check()
  write('a.yaml', 'two')
  watched.check()
  expect(applied).toEqual([])
  write('a.yaml', 'three')
  watched.check()
  expect(applied).toEqual([])
  watched.check()
  watched.check()
  expect(applied).toEqual(['three'])
})

test('a change from before the watching, after the first reading, is not lost', () => {
  watched.close()
  const since = fingerprint(directory)
  write('a.yaml', 'meanwhile')
  const log = openLog({ level: 'error', now: () => 0, write: () => {} })
  watched = watchFiles({ path: directory, since, load: () => 'read again', apply: (text) => applied.push(text), log })
  watched.check()
  expect(applied).toEqual(['read again'])
})

test('files that come and go are changes, at any depth', () => {
  mkdirSync(join(directory, 'more'))
  write('more/b.yaml', 'new')
  watched.check()
  watched.check()
  rmSync(join(directory, 'more'), { recursive: true })
  watched.check()
  watched.check()
  expect(applied).toEqual(['one', 'one'])
})

test('what has errors is told once, and what runs goes on', () => {
  write('a.yaml', 'broken')
  for (let times = 0; times < 4; times += 1) watched.check()
  expect(applied).toEqual([])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('a.yaml: error: this is broken')
  write('a.yaml', 'mended')
  watched.check()
  watched.check()
  expect(applied).toEqual(['mended'])
})

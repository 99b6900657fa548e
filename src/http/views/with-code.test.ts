import { expect, test } from 'vitest'
import { withCode } from './with-code.ts'

test('what stands between backticks is code, and nothing is markup', async () => {
  expect(String(await withCode('`<b>` is no path; write one like `/a`'))).toBe(
    '<code>&lt;b&gt;</code> is no path; write one like <code>/a</code>',
  )
  expect(String(await withCode('plain & simple'))).toBe('plain &amp; simple')
})

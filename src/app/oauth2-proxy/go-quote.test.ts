import { expect, test } from 'vitest'
import { goQuote } from './go-quote.ts'

/** As HTTP hands bytes over: one character each. */
const onTheWire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

test.each([
  ['/a?b=c', '"/a?b=c"'],
  ['say "x" \\', String.raw`"say \"x\" \\"`],
  ['a\tb\x1b[31m\x7f', String.raw`"a\tb\x1b[31m\x7f"`],
  [onTheWire('é 😀'), '"é 😀"'],
  ['caf\xe9', String.raw`"caf\xe9"`],
  [onTheWire('\u2028\u{e0001}'), String.raw`"\u2028\U000e0001"`],
])('%j is %s', (text, expected) => {
  expect(goQuote(text)).toBe(expected)
})

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the texts that are read
import { expect, test } from 'vitest'
import { substituteVariables } from './substitute-variables.ts'

const variables = { HOST: 'a.example', EMPTY: '', PORT: '8080' }

test.each([
  ['http://$HOST:${PORT}/', 'http://a.example:8080/'],
  ['[${MISSING}] [$MISSING]', '[] []'],
  ['${MISSING:-b} ${EMPTY:-b} ${EMPTY-b} ${HOST:-b}', 'b b  a.example'],
  ['${MISSING:=b} ${MISSING=$PORT}', 'b 8080'],
  ['${HOST:+set} ${MISSING+set}', 'set '],
  ['rewriteTarget: /$1/$2', 'rewriteTarget: /$1/$2'],
  ['$$HOST costs 5$', '$HOST costs 5$'],
  ['^/a$', '^/a$'],
])('`%s` becomes `%s`', (text, expected) => {
  expect(substituteVariables(text, variables)).toEqual({ text: expected })
})

test('a brace that is never closed is told with its place', () => {
  expect(substituteVariables('a: 1\nb: ${HOST\n', variables)).toEqual({
    problem: '`${` without its closing brace',
    offset: 8,
  })
})

import { expect, test } from 'vitest'
import { expandEnv } from './expand-env.ts'

const env = { HOME: '/home/ada', '1': 'one', EMPTY: '' }

const braced = (name: string) => `$\{${name}}`

test.each([
  ['$HOME/x', '/home/ada/x', []],
  [`${braced('HOME')}x`, '/home/adax', []],
  ['$1$EMPTY.', 'one.', []],
  ['a$$b', 'ab', ['$']],
  ['pa$word', 'pa', ['word']],
  ['5$', '5$', []],
  ['5$ and $/', '5$ and $/', []],
  [`${braced('')}x`, 'x', []],
  ['${x', 'x', []],
  ['$HOMEs', '', ['HOMEs']],
])('expands %j as Go’s os.ExpandEnv', (text, expanded, missing) => {
  expect(expandEnv(text, env)).toEqual({ text: expanded, missing })
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Tokens = Readonly<Record<string, string>>

const source = readFileSync(new URL('../../src/http/views/styles/tokens.css', import.meta.url), 'utf8')
const [lightSource = '', darkSource = ''] = source.split('@media (prefers-color-scheme: dark)')
const light = tokensOf(lightSource)
const schemes: readonly (readonly [string, Tokens])[] = [
  ['light', light],
  ['dark', { ...light, ...tokensOf(darkSource) }],
]

function tokensOf(css: string): Tokens {
  return Object.fromEntries(
    [...css.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [name, hex]),
  )
}

/** WCAG 2.2, “relative luminance”. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** WCAG 2.2, “contrast ratio”. */
function contrast(tokens: Tokens, one: string, other: string): number {
  const [lighter = 0, darker = 0] = [one, other]
    .map((name) => luminance(tokens[name] ?? expect.fail(`there is no colour token \`${name}\``)))
    .sort((a, b) => b - a)
  return (lighter + 0.05) / (darker + 0.05)
}

const grounds = ['ground', 'surface', 'sunken', 'arch-1', 'arch-2', 'arch-3'] as const

const textPairs: readonly (readonly [string, string])[] = [
  ...grounds.flatMap((ground) => ['text', 'text-muted', 'link'].map((text) => [text, ground] as const)),
  ['danger-text', 'surface'],
  ['danger-text', 'danger-soft'],
  ['success-text', 'success-soft'],
  ['info-text', 'info-soft'],
  ['info-text', 'accent-soft'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['danger-soft', 'danger'], // the mark inside an alert's disc
  ['success-soft', 'success'],
  ['info-soft', 'info'],
]

const controlPairs: readonly (readonly [string, string])[] = [
  ...['ground', 'surface', 'sunken'].flatMap((ground) =>
    ['line-control', 'focus'].map((line) => [line, ground] as const),
  ),
  ['focus', 'arch-1'],
  ['accent', 'surface'],
  ['accent', 'ground'],
  ['danger', 'surface'],
]

test.each(schemes)('every text stands out from its ground by 4.5 to 1 or more: %s', (_name, tokens) => {
  const weak = textPairs.filter(([text, ground]) => contrast(tokens, text, ground) < 4.5)
  expect(weak.map(([text, ground]) => `${text} on ${ground}: ${contrast(tokens, text, ground).toFixed(2)}`)).toEqual([])
})

test.each(schemes)('every control and focus ring stands out by 3 to 1 or more: %s', (_name, tokens) => {
  const weak = controlPairs.filter(([line, ground]) => contrast(tokens, line, ground) < 3)
  expect(weak.map(([line, ground]) => `${line} on ${ground}: ${contrast(tokens, line, ground).toFixed(2)}`)).toEqual([])
})

test('the measure itself agrees with WCAG’s own examples', () => {
  expect(contrast({ a: '#000000', b: '#ffffff' }, 'a', 'b')).toBeCloseTo(21, 5)
  expect(contrast({ a: '#777777', b: '#ffffff' }, 'a', 'b')).toBeCloseTo(4.48, 2)
})

test('dark restates every colour', () => {
  expect(Object.keys(tokensOf(darkSource)).sort()).toEqual(Object.keys(light).sort())
})

test('no colour is written outside the tokens', () => {
  for (const sheet of ['page', 'components', 'form', 'portal']) {
    const css = readFileSync(new URL(`../../src/http/views/styles/${sheet}.css`, import.meta.url), 'utf8')
    expect(css, sheet).not.toMatch(/#[0-9a-f]{3,8}\b|\brgb\(|\bhsl\(|\boklch\(/i)
  }
})

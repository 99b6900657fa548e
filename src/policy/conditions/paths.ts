import { compilePathTemplate, isPathTemplate, pathTemplateMistake } from '../path-template.ts'
import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix, textReasons } from './condition.ts'

/** The normalised path, query removed: string match, or a template with `{*}` and `{**}`. */
export const paths: ConditionKind = {
  mistake: (value) => (isPathTemplate(value) ? pathTemplateMistake(value) : undefined),
  compile(values) {
    const matchesText = compileTexts(values.filter((value) => !isPathTemplate(value)))
    const templates = values.filter(isPathTemplate).map(compilePathTemplate)
    if (templates.length === 0) return ({ path }) => matchesText(path)
    return ({ path }) => matchesText(path) || templates.some((matches) => matches(path))
  },
  lookup: {
    textsOf: ({ path }) => path,
    prefixOf: (value) => (isPathTemplate(value) ? value.slice(0, value.indexOf('{')) : literalPrefix(value)),
  },
  ...textReasons(
    () => 'path',
    ({ path }) => path,
  ),
}

import { writeFileSync } from 'node:fs'
import { rulesMarkdown } from '../src/insight/lint/formats/markdown.ts'

/** Writes docs/RULES.md from the table of lint rules. */
writeFileSync(new URL('../docs/RULES.md', import.meta.url), rulesMarkdown())

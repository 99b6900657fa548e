import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that has been escaped already: what the `html` tag returns. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

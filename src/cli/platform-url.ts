import { GatehouseError } from '../kit/errors.ts'

/** The one URL a command was called with, without a slash at its end. @throws GatehouseError `usage` */
export function platformUrl([url, ...more]: readonly string[], usage: string): string {
  if (url === undefined || more.length > 0) throw new GatehouseError('usage', `write: ${usage}`)
  const isUrl = /^https?:\/\/[^/]/.test(url) && URL.canParse(url)
  if (!isUrl) throw new GatehouseError('usage', `\`${url}\` is no URL; write https://HOST`)
  return new URL(url).origin
}

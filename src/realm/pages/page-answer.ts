import type { Html } from '../../http/views/page.ts'
import { pageResponse } from '../../http/views/page.ts'

/** Answers with a page; each of `cookies` is a `Set-Cookie` of its own. */
export async function pageAnswer(
  markup: Html,
  { status = 200, cookies = [] }: { status?: number; cookies?: readonly string[] } = {},
): Promise<Response> {
  const response = await pageResponse(markup, { status })
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

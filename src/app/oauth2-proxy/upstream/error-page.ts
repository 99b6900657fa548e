import { bodyBeside } from '../../../http/answer-bytes.ts'
import { errorPage } from '../../../http/views/error-page.ts'
import { pageResponse } from '../../../http/views/page.ts'
import { answerOfResponse } from '../../../proxy/answers.ts'
import { ownHeaders, type Visit } from './visit.ts'

/** Shows that the upstream does not answer, with the id by which the log has the reason (502, as in oauth2-proxy). */
export async function answerBadGateway(visit: Visit, assetsPath: string): Promise<void> {
  const { response, requestId } = visit
  const markup = errorPage({
    title: 'The app does not answer',
    message: 'There was a problem connecting to the upstream server.',
    advice: 'Try again in a moment. If it goes on, tell an administrator the request id.',
    ...{ requestId, assetsPath },
  })
  const { status, headers, body } = await answerOfResponse(await pageResponse(markup, { status: 502 }))
  if (response.headersSent || response.destroyed) return
  visit.tally.bytes = Buffer.byteLength(body)
  const all = [...ownHeaders(visit), ...headers, 'content-length', String(visit.tally.bytes)]
  response.writeHead(status, all)
  response.end(bodyBeside(all, body))
}

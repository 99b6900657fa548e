import type { Answer } from './answer.ts'

/**
 * Differences that are no difference in meaning. Envoy tells an app `content-length: 0` of a request without a body (RFC
 * 9110 §8.6 lets either); it refuses a malformed request without a word, we with two.
 */
export function withoutKnownDifferences(answer: Answer): Answer {
  if (answer.status === 400) return { status: 400, body: '', headers: [] }
  if (answer.arrived === undefined) return answer
  return { ...answer, arrived: answer.arrived.filter((line) => line !== 'content-length: 0') }
}

import { expect, test } from 'vitest'
import { limitedText } from './limited-text.ts'

/** A body of chunks, and how many of them were read. */
function stream(chunks: readonly Uint8Array<ArrayBuffer>[]): {
  response: Response
  read: () => number
  isCancelled: () => boolean
} {
  let at = 0
  let cancelled = false
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const chunk = chunks[at]
        at += 1
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { response: new Response(body), read: () => at, isCancelled: () => cancelled }
}

test('a body is read whole up to the limit, characters split between chunks included', async () => {
  const bytes = new TextEncoder().encode('grüße')
  const { response } = stream([bytes.slice(0, 3), bytes.slice(3)])
  expect(await limitedText(response, bytes.length)).toBe('grüße')
  expect(await limitedText(new Response(null), 0)).toBe('')
})

test('beyond the limit nothing more is read', async () => {
  const { response, read, isCancelled } = stream(Array.from({ length: 100 }, () => new Uint8Array(10)))
  await expect(limitedText(response, 25)).rejects.toThrow('longer than 25 bytes')
  expect(read()).toBe(3)
  expect(isCancelled()).toBe(true)
})

/**
 * The body of an answer as text. Reading stops where it is longer than `maxBytes`, so that nobody can fill our memory.
 * @throws TypeError for one that is too long.
 */
export async function limitedText(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  // a body that is left early is cancelled
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new TypeError(`the answer is longer than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

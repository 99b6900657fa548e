import { expect, test } from 'vitest'
import { openLog } from '../kit/log.ts'
import { openLogoutSender } from './logout-sender.ts'

function world(answer: (url: string, attempt: number) => Response | Promise<Response>) {
  const lines: string[] = []
  const log = openLog({ level: 'debug', now: () => 0, write: (line) => lines.push(line) })
  const sent: { url: string; token: string | null }[] = []
  const sender = openLogoutSender({
    log,
    times: { patience: 20, timeout: 1000, pauses: [1, 1] },
    fetch: async (input, init) => {
      const request = new Request(input, init)
      sent.push({ url: request.url, token: new URLSearchParams(await request.text()).get('logout_token') })
      return answer(request.url, sent.filter(({ url }) => url === request.url).length)
    },
  })
  const recipient = (host: string) => {
    let made = 0
    return { clientId: host, url: `https://${host}.example.com/logout`, makeToken: async () => `${host} ${++made}` }
  }
  const gaveUp = () => expect.poll(() => lines.some((line) => line.includes('given up'))).toBe(true)
  return { sender, sent, recipient, lines, gaveUp }
}

const ok = () => new Response(null, { status: 200 })
const tokensOf = (sent: readonly { token: string | null }[]) => sent.map(({ token }) => token)

test('every client is told once, with a token of its own', async () => {
  const { sender, sent, recipient } = world(ok)
  await sender.send([recipient('notes'), recipient('broker')])
  expect(sent).toEqual([
    { url: 'https://notes.example.com/logout', token: 'notes 1' },
    { url: 'https://broker.example.com/logout', token: 'broker 1' },
  ])
})

test('a client that fails is tried again with a new token, one that refuses is not', async () => {
  const { sender, sent, recipient } = world((url, attempt) =>
    url.includes('refusing')
      ? new Response('', { status: 400 })
      : new Response('', { status: attempt < 3 ? 503 : 200 }),
  )
  await sender.send([recipient('refusing'), recipient('failing')])
  await expect.poll(() => sent.length).toBe(4)
  expect(tokensOf(sent).toSorted()).toEqual(['failing 1', 'failing 2', 'failing 3', 'refusing 1'])
})

test('after the last try it is given up, and the log tells of whom, without the token', async () => {
  const { sender, sent, recipient, lines, gaveUp } = world(() => Promise.reject(new TypeError('fetch failed')))
  await sender.send([recipient('notes')])
  await gaveUp()
  expect(sent).toHaveLength(3)
  expect(lines.join('\n')).toContain('"clientId":"notes"')
  expect(lines.join('\n')).not.toContain('notes 1')
})

test('who never answers does not keep anyone waiting', async () => {
  const { sender, recipient } = world(() => new Promise<Response>(() => {}))
  await sender.send([recipient('notes')])
  sender.close()
})

test('a redirect is not followed', async () => {
  const { sender, sent, recipient } = world(() => Response.redirect('http://169.254.169.254/'))
  await sender.send([recipient('notes')])
  expect(sent).toHaveLength(1)
})

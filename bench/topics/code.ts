import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import process from 'node:process'
import { loopbackFetch } from '../../src/app/loopback.ts'
import { openDatabase } from '../../src/app/open-gatehouse.ts'
import { openParts } from '../../src/app/open-parts.ts'
import type { RunningParts } from '../../src/app/parts.ts'
import { loadChainFromDirectory } from '../../src/config/from-directory.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { randomText, systemRandom } from '../../src/kit/random.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { signBytes } from '../../src/tokens/algorithms.ts'
import { type HttpClient, httpClient } from '../../test/world/http-client.ts'
import { ada, platformFiles, type RelyingParty } from '../../test/world/platform-files.ts'
import { workDirectory } from '../../test/world/programs.ts'
import { printTable, thousands } from '../table.ts'

const exchangesPerRound = 100
const rounds = 8
/** Rounds before the first measured one: so long V8 takes to compile what is used. */
const warmUpRounds = 12
/** Requests under way at a time: as many signatures as libuv's pool makes at once. */
const inFlight = 4

const publicUrl = 'http://localhost:8080'
const party: RelyingParty = {
  id: 'bench',
  secret: 'Jq6rT1yWm8ZcNf3vKx5D',
  redirectUri: 'http://127.0.0.1:9/callback',
  signedOutUri: 'http://127.0.0.1:9/signed-out',
}

/** What redeeming a code costs against what its two signatures do, in this very process and in turns. */
export async function benchCode(): Promise<void> {
  const { fetch, close } = await openChain()
  const realm = await measure(fetch, {
    authorize: `${publicUrl}/auth/realms/platform/protocol/openid-connect/auth`,
    token: `${publicUrl}/auth/realms/platform/protocol/openid-connect/token`,
  })
  const broker = await measure(fetch, { authorize: `${publicUrl}/dex/auth`, token: `${publicUrl}/dex/token` })
  await close()
  printTable(
    'Code: RS256 code exchange, ID and access token (goal: ≤ 2 × the two signatures)',
    ['way', 'per CPU-second', 'factor'],
    [
      ['two RSA-2048 signatures alone', thousands(2 / (realm.signing + broker.signing)), '1.00'],
      ['Gatehouse realm', thousands(1 / realm.exchange), (realm.exchange / realm.signing).toFixed(2)],
      ['Gatehouse broker', thousands(1 / broker.exchange), (broker.exchange / broker.signing).toFixed(2)],
    ],
  )
}

type ChainFetch = (url: string, init: RequestInit) => Promise<Response>

/** Realm and broker of a platform over a database file, reached without a network. */
async function openChain(): Promise<{ fetch: ChainFetch; close(): Promise<void> }> {
  const secrets = { state: randomText(systemRandom), cookie: randomText(systemRandom), clients: {} }
  const directory = platformFiles({ relyingParties: [party] })
  const { chain, problems } = loadChainFromDirectory(directory, { publicUrl, secrets, env: {}, demo: true })
  if (!chain) throw new Error(problems.map(({ message }) => message).join('\n'))
  const databaseFile = join(workDirectory('bench'), 'gatehouse.db')
  const database = await openDatabase(databaseFile)
  const parts: RunningParts = {}
  const outside = async () => new Response('back at the application')
  const fetch = loopbackFetch({ chain, parts, outside, random: systemRandom })
  const shared = { chain, databaseFile, secrets, clock: systemClock, random: systemRandom, log: silentLog, outside }
  await openParts(parts, { ...shared, database, records: openSqlRecords(database, systemClock), fetch })
  return { fetch: (url, init) => fetch(url, init), close: () => database.destroy() }
}

/** CPU seconds of one exchange and of two signatures. */
interface Costs {
  readonly exchange: number
  readonly signing: number
}

async function measure(fetch: ChainFetch, endpoints: { authorize: string; token: string }): Promise<Costs> {
  const browser = httpClient(fetch)
  await newCode(browser, endpoints.authorize) // signs in
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = 'x'.repeat(1000)
  let exchange = 0
  let signing = 0
  for (let round = 0; round < warmUpRounds + rounds; round += 1) {
    const codes: string[] = []
    while (codes.length < exchangesPerRound) codes.push(await newCode(browser, endpoints.authorize))
    const exchanged = await cpuOf(() => inTurns(codes, (code) => redeem(fetch, endpoints.token, code)))
    const signed = await cpuOf(() => inTurns([...codes, ...codes], () => signBytes(input, privateKey, 'RS256')))
    if (round < warmUpRounds) continue
    exchange += exchanged / (exchangesPerRound * rounds)
    signing += signed / (exchangesPerRound * rounds)
  }
  return { exchange, signing }
}

async function newCode(browser: HttpClient, authorize: string): Promise<string> {
  const query = new URLSearchParams({
    client_id: party.id,
    redirect_uri: party.redirectUri,
    response_type: 'code',
    scope: 'openid profile email groups',
    state: 'bench',
    nonce: 'bench',
  })
  const page = await browser.follow(`${authorize}?${query}`)
  const isForm = page.text.includes('type="password"')
  const { url } = isForm ? await browser.submit(page, { username: ada.username, password: ada.password }) : page
  return new URL(url).searchParams.get('code') ?? ''
}

async function redeem(fetch: ChainFetch, url: string, code: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${party.id}:${party.secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: party.redirectUri }),
  })
  const text = await response.text()
  if (!text.includes('"id_token"')) throw new Error(`${url} answered ${response.status} ${text}`)
}

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

/** CPU seconds of this process, its threads included. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}

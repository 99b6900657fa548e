import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Apps, openApps } from '../corpus/apps.ts'
import { type LiveGateway, type Outcome, openLiveGateway, sendRow } from '../corpus/live-gateway.ts'
import {
  type CorpusGroup,
  type CorpusRow,
  mintTokens,
  readCorpus,
  rowTitle,
  withTokens,
} from '../corpus/read-corpus.ts'

const tokens = await mintTokens()
let apps: Apps
beforeAll(async () => {
  apps = await openApps()
})
afterAll(() => apps.close())

describe.each(readCorpus().map((group) => [`${group.topic}: ${group.name}`, group] as const))('%s', (_, group) => {
  let live: LiveGateway
  beforeAll(async () => {
    live = await openLiveGateway(group, apps)
  })
  afterAll(() => live.close())

  test.each(titled(group))('%s', async (_title, row) => {
    const outcome = await sendRow(row, { port: live.port, tokens })
    expect(seen(row, outcome)).toEqual(expected(row))
  })
})

function titled({ rows }: CorpusGroup) {
  return rows.map((row) => [rowTitle(row).replaceAll('%', '%%'), row] as const)
}

/** What the row says of the answer, and only that. */
function expected({ status, body, challenge, target, arrives, host }: CorpusRow) {
  return {
    status,
    ...(body === undefined ? {} : { body }),
    ...(challenge === undefined ? {} : { challenge: challenge.replace('HOST', `http://${host}`) }),
    ...(target === undefined ? {} : { target: withTokens(target, tokens) }),
    arrives: Object.fromEntries(
      Object.entries(arrives).map(([name, value]) => [name, value === null ? null : withTokens(value, tokens)]),
    ),
  }
}

function seen(row: CorpusRow, outcome: Outcome) {
  const arrived = (name: string) => outcome.received?.headers.filter(([one]) => one === name).map(([, value]) => value)
  return {
    status: outcome.status,
    ...(row.body === undefined ? {} : { body: outcome.body }),
    ...(row.challenge === undefined ? {} : { challenge: outcome.challenge }),
    ...(row.target === undefined ? {} : { target: outcome.received?.target }),
    arrives: Object.fromEntries(Object.keys(row.arrives).map((name) => [name, arrived(name)?.join(',') || null])),
  }
}

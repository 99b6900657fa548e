import { appendFile, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DecisionRing, RecordedDecision } from '../gateway/decision-ring.ts'
import type { Log } from '../kit/log.ts'
import { decisionFiles } from './data-directory.ts'
import type { ChainSource } from './plan-chain.ts'

/** The chain that decided: what `gatehouse explain --request` reads again. */
export interface DecidingChain {
  readonly source: ChainSource
  readonly publicUrl: string
}

/** A refusal found in the data directory. */
export interface FoundDecision {
  readonly decision: RecordedDecision
  readonly chain: DecidingChain
}

const writeInterval = 500
/** Two files of this size hold well over a thousand refusals. */
const longestFile = 1024 * 1024

/**
 * Writes what a ring remembers to the data directory, twice a second and off the requests' way, so that another process
 * can explain it: a file begins with the chain, every other line is a refusal. A disk that does not take it is told to the log, once, and never holds up a request.
 */
export function openDecisionLog(options: {
  readonly ring: DecisionRing
  readonly directory: string
  readonly chain: DecidingChain
  readonly log: Log
}): { close(): Promise<void> } {
  const { ring, directory, chain, log } = options
  const [current, older] = decisionFiles.map((name) => join(directory, name)) as [string, string]
  let isFirst = true
  let hasFailed = false
  let writing = Promise.resolve()

  async function write(): Promise<void> {
    const fresh = ring.takeNew()
    if (fresh.length === 0) return
    const isFull = ((await stat(current).catch(() => undefined))?.size ?? 0) > longestFile
    if (isFull) await rename(current, older)
    const lines = [...(isFirst || isFull ? [{ chain }] : []), ...fresh].map((line) => `${JSON.stringify(line)}\n`)
    await (await open(current, 'a', 0o600)).close()
    await appendFile(current, lines.join(''))
    isFirst = false
  }

  const flush = () => {
    writing = writing.then(write).catch((cause: unknown) => {
      if (!hasFailed) log.warn('refusals could not be written down', { cause })
      hasFailed = true
    })
    return writing
  }
  const timer = setInterval(() => void flush(), writeInterval).unref()
  return {
    close() {
      clearInterval(timer)
      return flush()
    },
  }
}

/** Looks a refusal up by its request id; `undefined` where it is unknown or forgotten. */
export async function findDecision(directory: string, requestId: string): Promise<FoundDecision | undefined> {
  for (const name of decisionFiles) {
    const text = await readFile(join(directory, name), 'utf8').catch(() => '')
    let chain: DecidingChain | undefined
    for (const line of text.split('\n')) {
      if (line.startsWith('{"chain":')) chain = parseLine<{ chain: DecidingChain }>(line)?.chain
      else if (line.includes(requestId) && chain) {
        const decision = parseLine<RecordedDecision>(line)
        if (decision?.requestId === requestId) return { decision, chain }
      }
    }
  }
  return undefined
}

/** A line that is still being written is none yet. */
function parseLine<Line>(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line // these files are written above and by nobody else
  } catch {
    return undefined
  }
}

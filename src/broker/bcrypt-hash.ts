import { parseOptions } from '@node-rs/bcrypt'
import { z } from 'zod'

/** Dex refuses to check hashes outside these costs (dex server/server.go `checkCost`). */
const costs = { least: 10, most: 16 }

/** A bcrypt hash, as it is or wrapped in base64 (dex cmd/dex/config.go `password.UnmarshalJSON`); parsed to the former. */
export const bcryptHash = z.string('no password hash provided').transform((text, context) => {
  const complain = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  if (text === '') return complain('no password hash provided')
  for (const hash of [text, Buffer.from(text, 'base64').toString('utf8').trim()]) {
    const cost = costOf(hash)
    if (cost === undefined) continue
    if (cost >= costs.least && cost <= costs.most) return hash
    return complain(`bcrypt cost must be ${costs.least} to ${costs.most}, got ${cost}`)
  }
  return complain('malformed bcrypt hash; make one with `htpasswd -bnBC 10 "" PASSWORD | tr -d ":\\n"`')
})

function costOf(hash: string): number | undefined {
  try {
    return parseOptions(hash).cost
  } catch {
    return undefined
  }
}

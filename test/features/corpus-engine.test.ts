import { describe, expect, test } from 'vitest'
import { selectPolicies } from '../../src/policy/policy-set.ts'
import { factsOf, policyVerdictOf } from '../corpus/engine-facts.ts'
import { configOf } from '../corpus/live-gateway.ts'
import { corpusForEnvoy, rowTitle } from '../corpus/read-corpus.ts'
import { verdict } from './policy-world.ts'

/** A provider of the tables is asked before DENY and ALLOW, which the engine judges as though it had allowed. */
const agreeing = { allowed: ['allow', 'ask'], refused: ['deny'], 'by-provider': ['ask', 'deny'] }

const groups = corpusForEnvoy().filter(({ rows }) => rows.some((row) => policyVerdictOf(row) !== undefined))

describe.each(groups.map((group) => [`${group.topic}: ${group.name}`, group] as const))('%s', (_, group) => {
  const config = configOf(group)
  const policies = selectPolicies(config.authorizationPolicies, {
    workload: config.workload,
    rootNamespace: config.meshConfig.rootNamespace,
    providers: new Set(config.meshConfig.extensionProviders.map(({ name }) => name)),
    allowsSeveralProviders: group.severalProviders,
  })
  const rows = group.rows.filter((row) => policyVerdictOf(row) !== undefined)

  test(`the engine agrees with all ${rows.length} rows about policies`, () => {
    for (const row of rows) {
      const facts = factsOf(row, config)
      if (!facts) throw new Error(`${rowTitle(row)}: malformed`)
      const wanted = policyVerdictOf(row)
      const got = verdict(policies, facts)
      expect(agreeing[wanted ?? 'allowed'], rowTitle(row)).toContain(got)
    }
  })
})

/** The tables of what must load and what must not, asked of Istio's own validation (the webhook's, in istiod). */
import { expect, test } from 'vitest'
import { readValidationCases } from '../corpus/validation/read-cases.ts'
import { askPilot } from './pilot.ts'
import { describeWith } from './programs.ts'

describeWith({ name: 'gatehouse-pilot', from: 'it as docs/PROOF.md says' }, (path) => {
  test('Istio accepts and refuses what the tables say', () => {
    const cases = readValidationCases()
    const resources = cases.map(({ kind, spec }) => ({
      apiVersion: /^(?:Auth|Request)/.test(kind) ? 'security.istio.io/v1' : 'networking.istio.io/v1',
      kind,
      metadata: { name: 'p', namespace: 'istio-system' },
      spec,
    }))
    const [answer] = askPilot(path, [{ mesh: {}, resources, onlyValidate: true }])
    const wrong = cases.flatMap(({ name, kind, valid }, at) => {
      const refusal = answer?.refusals[at] ?? 'no answer'
      return (refusal === '') === valid ? [] : [`${kind}: ${name}: ${refusal || 'accepted'}`]
    })
    expect(wrong).toEqual([])
  })
})

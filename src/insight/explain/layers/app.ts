import type { Detail, Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

/** What the app receives. */
export function explainApp(_: Situation, { reached, facts, cause, ownReason, route, answer }: Walk): Layer {
  if (reached) {
    return {
      name: 'app',
      outcome: 'passed',
      summary: `${reached.destination} gets \`${reached.target.replace(/\?.*/, '?…')}\``,
      details: Object.entries(reached.headers).map(
        ([name, value]): Detail => ({ mark: 'info', text: `${name}: ${shown(name, value)}` }),
      ),
    }
  }
  if (!facts || cause) return { name: 'app', outcome: 'skipped', summary: 'receives nothing', details: [] }
  if (!route) return { name: 'app', outcome: 'stopped', summary: 'no route, so 404', details: [] }
  const isAnswer = answer.status < 400
  return {
    name: 'app',
    outcome: isAnswer ? 'passed' : 'stopped',
    summary: isAnswer ? `the route itself answers ${answer.status}` : `the gateway answers ${answer.status} itself`,
    details: ownReason === undefined ? [] : [{ mark: 'decides', text: ownReason }],
  }
}

const harmless =
  /^(?:accept(?:-.*)?|access-control-.*|cache-control|connection|content-(?:type|length)|forwarded|host|kubeflow-.*|origin|pragma|sec-.*|traceparent|upgrade(?:-.*)?|user-agent|via|x-auth-request-(?:email|groups|preferred-username|user)|x-forwarded-(?:for|host|proto|port|prefix|uri|user|email|groups|preferred-username)|x-request-id|x-requested-with)$/

/** Values only of headers that never prove anything; of `Authorization` the scheme. */
function shown(name: string, value: string): string {
  if (harmless.test(name)) return value
  const scheme = name === 'authorization' ? /^(?:bearer|basic) /i.exec(value)?.[0] : undefined
  return `${scheme ?? ''}…`
}

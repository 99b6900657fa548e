import type { Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'
import { explainApp } from './app.ts'
import { explainHeaders } from './headers.ts'
import { explainPath } from './path.ts'
import { explainPolicies } from './policies.ts'
import { explainProvider } from './provider.ts'
import { explainRoute } from './route.ts'
import { explainTokens } from './tokens.ts'
import { explainWebSocket } from './websocket.ts'

/** Every layer, in the order the gateway works; `undefined` where a request is none of its business. */
export const layers: readonly ((situation: Situation, walk: Walk) => Layer | undefined)[] = [
  explainPath,
  explainHeaders,
  explainRoute,
  explainProvider,
  explainTokens,
  explainPolicies,
  explainWebSocket,
  explainApp,
]

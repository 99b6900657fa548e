import { chainExample } from '../chain-example.ts'
import { listSetting } from '../list-setting.ts'
import { placeBelow } from '../places.ts'
import type { Example, Rule } from '../rule.ts'

function example(audience: string): Example {
  const files = chainExample({ gatewayIssuer: 'https://platform.example.com/dex' })
  const setting = `kubernetes_token_audiences = ["${audience}"]\n`
  return { ...files, 'oauth2_proxy.cfg': `${files['oauth2_proxy.cfg']}${setting}` }
}

/** Tokens that are good at the API server are taken, and handed to apps. */
export const apiServerAudience: Rule = {
  id: 'api-server-audience',
  severity: 'warning',
  title: 'the audience of the Kubernetes API server itself is accepted',
  why: 'The gateway hands tokens on to apps. With one for the API server an app, or whoever runs a notebook that a pod calls, can do there whatever the pod may: read its Secrets, start pods.',
  remedy: 'List an audience made for the gateway, and ask for tokens with it: `kubectl create token --audience=…`.',
  bad: example('https://kubernetes.default.svc.cluster.local'),
  good: example('istio-ingressgateway.istio-system.svc.cluster.local'),
  find: (subject) => {
    const listed = listSetting(subject, 'kubernetes_token_audiences')
    const ofProxy = (listed?.values ?? []).map((audience) => ({ audience, place: listed?.place }))
    const ofRules = subject.gateway.requestAuthentications
      .flatMap(({ jwtRules }) => jwtRules)
      .flatMap(({ audiences, place }) =>
        audiences.map((audience, at) => ({ audience, place: placeBelow(subject, place, ['audiences', at]) })),
      )
    return [...ofProxy, ...ofRules].flatMap(({ audience, place }) =>
      place && apiServer.test(audience)
        ? {
            place,
            message: `takes tokens for \`${audience}\`, which are good at the API server, too`,
            fix: 'list an audience made for the gateway',
          }
        : [],
    )
  },
}

/** As it is spelled where nobody chose otherwise (`--api-audiences`, by default the issuer). */
const apiServer = /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?$/

import type { Rule } from '../rule.ts'

const mesh = (name: string) => `extensionProviders:
- name: oauth2
  envoyExtAuthzHttp: {service: oauth2-proxy.oauth2-proxy.svc.cluster.local, port: 80}
- name: ${name}
  envoyExtAuthzHttp: {service: opa.opa.svc.cluster.local, port: 9191}
`

/** A provider whose name begins like another's. */
export const providerNamePrefix: Rule = {
  id: 'provider-name-prefix',
  severity: 'warning',
  title: 'the name of a provider begins with the name of another',
  why: 'Envoy recognises the policies of a provider by the beginning of their id, so the one with the shorter name is also asked for requests that are the other’s: users of `oauth2-admin` are sent to the login of `oauth2`.',
  remedy: 'Choose names of which none begins with another.',
  bad: { 'mesh.yaml': mesh('oauth2-admin') },
  good: { 'mesh.yaml': mesh('opa') },
  find: ({ gateway }) => {
    const { extensionProviders } = gateway.meshConfig
    return extensionProviders.flatMap(({ name, place }) => {
      const shorter = extensionProviders.find((other) => other.name !== name && name.startsWith(other.name))
      if (!shorter || !place) return []
      return {
        place,
        message: `\`${name}\` begins with \`${shorter.name}\`, which is then asked, too`,
        fix: 'rename one of them',
      }
    })
  },
}

/** node-oidc-provider ships no types; these are the few the tests use. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  export type Configuration = Readonly<Record<string, unknown>>

  export default class Provider {
    constructor(issuer: string, configuration: Configuration)
    /** Set behind a TLS-terminating proxy. */
    proxy: boolean
    callback(): RequestListener
  }
}

import { z } from 'zod'
import { duration, flag, list, text } from './fields.ts'
import { providerOptionsSchema, type ReadonlyDeep } from './provider-options.ts'

/** Text, or its bytes, as the original's converter writes them. */
const secretText = z
  .union([z.string(), z.array(z.int().min(0).max(255))], 'must be a text')
  .transform((value) => (typeof value === 'string' ? value : Buffer.from(value).toString('utf8')))

/** A secret: exactly one of the three (oauth2-proxy pkg/apis/options/secret_source.go). */
const secretSourceSchema = z.strictObject({
  /** The secret itself, as it stands (the original's documentation says base64, its code does not). */
  value: secretText.optional(),
  fromEnv: z.string().optional(),
  fromFile: z.string().optional(),
})

const claimSourceSchema = z.strictObject({
  /** `user`, `email`, `groups`, `preferred_username`, `access_token`, `id_token`, … or one of `additionalClaims`. */
  claim: text,
  /** Put before each value: `Bearer `. */
  prefix: text,
  /** Makes the value `Basic base64(claim:password)`. */
  basicAuthPassword: secretSourceSchema.optional(),
})

/** One header made from the session (oauth2-proxy pkg/apis/options/header.go). */
const headerSchema = z.strictObject({
  name: text,
  /** Whether a value the client sent stays, in front of ours. */
  preserveRequestValue: flag(),
  /** Whether a client's `X_Name` is left alone where `X-Name` is ours. */
  InsecureSkipHeaderNormalization: flag(),
  /** Each is a claim or a secret, never both. */
  values: z
    .array(z.strictObject({ claimSource: claimSourceSchema.optional(), secretSource: secretSourceSchema.optional() }))
    .default([]),
})

const serverSchema = z.strictObject({
  /** `[http://]host:port`, `unix://path,mode=0777` or `fd:3`; empty or `-` for none. */
  bindAddress: text,
  /** `[https://]host:port`; needs `tls`. */
  secureBindAddress: text,
  tls: z
    .strictObject({
      cert: secretSourceSchema.optional(),
      /** Go's names: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. */
      cipherSuites: list,
      key: secretSourceSchema.optional(),
      /** `TLS1.2` or `TLS1.3`. */
      minVersion: text,
    })
    .optional(),
})

/** Where requests go that may pass (oauth2-proxy pkg/apis/options/upstreams.go). */
const upstreamSchema = z.strictObject({
  id: text,
  /** Ends in `/`: a prefix, else exact. With `rewriteTarget`: an RE2 pattern. */
  path: text,
  rewriteTarget: text,
  /** `http(s)://host:port[/path]`, `file:///directory` or `unix:///socket`. */
  uri: text,
  insecureSkipTLSVerify: flag(),
  static: flag(),
  /** Status of a `static` upstream. */
  staticCode: z.int().default(200),
  /** Milliseconds. */
  flushInterval: duration('1s'),
  passHostHeader: flag(true),
  proxyWebSockets: flag(true),
  /** Milliseconds until the headers of an answer. */
  timeout: duration('30s'),
  disableKeepAlives: flag(),
})

/**
 * oauth2-proxy's alpha configuration (pkg/apis/options/alpha_options.go), which is also what the flat keys are turned
 * into: providers, injected headers, upstreams and listeners are read from here whichever way they were given. The
 * members stand in the order in which the original writes them.
 */
export const alphaOptionsSchema = z.strictObject({
  injectRequestHeaders: z.array(headerSchema).default([]),
  injectResponseHeaders: z.array(headerSchema).default([]),
  metricsServer: serverSchema.prefault({}),
  /** The original starts with several and uses the first; here each is offered. */
  providers: z.array(providerOptionsSchema).default([]),
  server: serverSchema.prefault({}),
  upstreamConfig: z.strictObject({ proxyRawPath: flag(), upstreams: z.array(upstreamSchema).default([]) }).prefault({}),
})

/** The alpha configuration, every field present. */
export type AlphaOptions = ReadonlyDeep<z.output<typeof alphaOptionsSchema>>
/** What may be left out of it. */
export type AlphaInput = z.input<typeof alphaOptionsSchema>
/** A header to set, and its values. */
export type HeaderOptions = AlphaOptions['injectRequestHeaders'][number]
/** One value: a claim of the session, or a secret. */
export type HeaderValueOptions = HeaderOptions['values'][number]
/** A secret: a value, a variable or a file. */
export type SecretSource = ReadonlyDeep<z.output<typeof secretSourceSchema>>
/** A listener, of the proxy itself or of its metrics. */
export type ServerOptions = AlphaOptions['server']
/** An app behind the proxy, and the paths that lead to it. */
export type UpstreamOptions = AlphaOptions['upstreamConfig']['upstreams'][number]

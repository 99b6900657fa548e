import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { freePort, workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { openMirror } from './mirror.ts'
import { type RunningProgram, startProgram } from './programs.ts'

/** Where a server in front finds what it stands in front of; all on 127.0.0.1. */
export interface FrontAddresses {
  /** Where the server listens. */
  readonly port: number
  /** `host:port` of `gatehouse oauth2-proxy`. */
  readonly gatehouse: string
  /** The same of its gRPC listener. */
  readonly grpc: string
  /** `host:port` of the application. */
  readonly application: string
}

/** A server in front. */
export interface Front {
  start(addresses: FrontAddresses): Promise<RunningProgram>
  /** Keys of `oauth2_proxy.cfg` it needs beside those every server needs. */
  readonly settings?: (addresses: FrontAddresses) => readonly string[]
  /** Whether Gatehouse forwards to the application, and the server only to Gatehouse. */
  readonly isForwardedByGatehouse?: boolean
}

/** A platform with a server in front of one application. */
export interface FrontWorld {
  /** What people open. */
  readonly origin: string
  /** Where the provider's pages are. */
  readonly provider: string
  /** Asks for `path` without a session, and signs in. */
  signIn(path?: string): Promise<{ readonly browser: HttpClient; readonly url: string; readonly text: string }>
  close(): Promise<void>
}

const client = { id: 'apps', secret: 'Vq7mT2xKfR9cWzLd4HsB' } as const

/** Enough that a session is three cookies. */
const manyGroups = Array.from({ length: 140 }, (_, index) => `people-of-department-${index}-${(index * 7919) % 9973}`)

/** Starts provider, application, the program of docs/FRONTS.md and the server, which have nothing but addresses in common. */
export async function openFrontWorld(front: Front): Promise<FrontWorld> {
  const application = await openMirror()
  const ports = { front: await freePort(), gatehouse: await freePort(), grpc: await freePort() }
  const origin = `http://127.0.0.1:${ports.front}`
  const party = {
    ...client,
    redirectUri: `${origin}/oauth2/callback`,
    signedOutUri: `${origin}/oauth2/callback`,
    backchannelLogoutUri: `${origin}/oauth2/backchannel-logout`,
  }
  const provider = await testGatehouse({ from: platformFiles({ relyingParties: [party], moreGroups: manyGroups }) })
  const addresses: FrontAddresses = {
    port: ports.front,
    gatehouse: `127.0.0.1:${ports.gatehouse}`,
    grpc: `127.0.0.1:${ports.grpc}`,
    application: application.origin.replace('http://', ''),
  }
  const gatehouse = await startGatehouse(ports.gatehouse, {
    origin,
    issuer: `${provider.publicUrl}/dex`,
    settings: front.settings?.(addresses) ?? [],
    ...(front.isForwardedByGatehouse ? { application: addresses.application } : {}),
  })
  const server = await front.start(addresses)
  return {
    origin,
    provider: provider.publicUrl,
    async signIn(path = '/') {
      const browser = httpClient()
      const form = await browser.follow(origin + path)
      const page = await browser.submit(form, { username: ada.username, password: ada.password })
      return { browser, url: page.url, text: page.text }
    },
    async close() {
      await server.stop()
      await gatehouse.stop()
      await provider.close()
      await application.close()
    },
  }
}

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))

interface GatehouseSettings {
  readonly origin: string
  readonly issuer: string
  readonly settings: readonly string[]
  /** Where it forwards to itself. */
  readonly application?: string
}

/** The configuration with what docs/FRONTS.md puts in the place of three keys. */
function forwarding(text: string, application: string): string {
  const others = text.replace(/^(?:upstreams|set_xauthrequest|set_authorization_header) = .*\n/gm, '')
  return others + recipe('forwarding.cfg', { '127.0.0.1:3000': application })
}

/** Runs `gatehouse oauth2-proxy` with the configuration of docs/FRONTS.md. */
function startGatehouse(
  port: number,
  { origin, issuer, settings, application }: GatehouseSettings,
): Promise<RunningProgram> {
  const directory = workDirectory('front')
  writeFileSync(join(directory, 'client-secret'), client.secret)
  writeFileSync(join(directory, 'cookie-secret'), '0f8a3b7c5d2e4f6a9b1c8d7e6f5a4b3c')
  const file = join(directory, 'oauth2_proxy.cfg')
  const text = recipe('oauth2_proxy.cfg', {
    '127.0.0.1:4180': `127.0.0.1:${port}`,
    'https://sso.example.com/dex': issuer,
    'https://apps.example.com': origin,
    '/etc/gatehouse': directory,
  })
  const asForwarder = application === undefined ? text : forwarding(text, application)
  writeFileSync(file, [asForwarder, ...settings, ''].join('\n'))
  return startProgram(process.execPath, [main, 'oauth2-proxy', '--config', file], { port })
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { findProgram, freePort, workDirectory } from '../test/world/programs.ts'
import type { BenchServer } from './helpers.ts'
import { serverCpu } from './load.ts'
import { cookieName, cookieSecret } from './platform.ts'
import { startProcess } from './process.ts'

/** What a reverse proxy in front of an application is given. */
export interface FrontOrigins {
  /** Answers `/oauth2/auth`. */
  readonly check: string
  readonly application: string
}

/** The real oauth2-proxy with the same cookie, and `flags` of its own; `undefined` where it is not installed. */
export async function startOauth2Proxy(flags: readonly string[] = []): Promise<BenchServer | undefined> {
  const path = findProgram('oauth2-proxy')
  return path === undefined ? undefined : startLikeOauth2Proxy([path], flags)
}

/** Our program in its place, by the same flags. */
export function startInItsPlace(flags: readonly string[]): Promise<BenchServer> {
  const main = new URL('../src/main.mjs', import.meta.url).pathname
  return startLikeOauth2Proxy([process.execPath, main, 'oauth2-proxy'], flags)
}

async function startLikeOauth2Proxy(program: readonly string[], flags: readonly string[]): Promise<BenchServer> {
  const { port, origin } = await nextOrigin()
  const command = [
    ...program,
    `--http-address=127.0.0.1:${port}`,
    '--provider=oidc',
    '--oidc-issuer-url=http://127.0.0.1:9/dex',
    '--skip-oidc-discovery=true',
    '--login-url=http://127.0.0.1:9/dex/auth',
    '--redeem-url=http://127.0.0.1:9/dex/token',
    '--oidc-jwks-url=http://127.0.0.1:9/dex/keys',
    '--client-id=bench',
    '--client-secret=bench',
    `--redirect-url=${origin}/oauth2/callback`,
    `--cookie-name=${cookieName}`,
    `--cookie-secret=${cookieSecret}`,
    '--cookie-secure=false',
    '--cookie-expire=24h',
    '--email-domain=*',
    '--upstream=static://200',
    '--set-xauthrequest=true',
    '--set-authorization-header=true',
    // its access log would cost it more than the check
    '--request-logging=false',
    '--auth-logging=false',
    ...flags,
  ]
  return { ...(await startProcess(command, { cpu: serverCpu, readyUrl: `${origin}/ping` })), origin }
}

/** nginx asking by `auth_request` for every request, connections kept alive; `undefined` where it is not installed. */
export async function startNginx({ check, application }: FrontOrigins): Promise<BenchServer | undefined> {
  const protectedPart = `
    location = /oauth2/auth {
      internal;
      proxy_pass http://check;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
    }
    location /app/ {
      auth_request /oauth2/auth;
      auth_request_set $email $upstream_http_x_auth_request_email;
      auth_request_set $groups $upstream_http_x_auth_request_groups;
      proxy_set_header kubeflow-userid $email;
      proxy_set_header kubeflow-groups $groups;
      proxy_set_header Connection "";
      proxy_pass http://application;
    }`
  return runNginx(serverCpu, [upstream('check', check), upstream('application', application)], protectedPart)
}

/** A static 1 kB application in nginx; `undefined` where it is not installed. */
export async function startNginxApplication(cpu: number): Promise<BenchServer | undefined> {
  return runNginx(cpu, [], `location / { return 200 "${'x'.repeat(1024)}"; }`)
}

const upstream = (name: string, origin: string): string =>
  `upstream ${name} { server ${origin.replace('http://', '')}; keepalive 64; }`

async function runNginx(
  cpu: number,
  upstreams: readonly string[],
  locations: string,
): Promise<BenchServer | undefined> {
  const path = findProgram('nginx')
  if (path === undefined) return undefined
  const { port, origin } = await nextOrigin()
  const directory = workDirectory('bench-nginx')
  mkdirSync(join(directory, 'temp'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/temp/${name};`,
  )
  const file = join(directory, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  large_client_header_buffers 4 32k;
  proxy_buffer_size 16k;
  proxy_buffers 8 16k;
  proxy_http_version 1.1;
  keepalive_requests 1000000000;
  ${upstreams.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location = /ping { return 200; }
    ${locations}
  }
}
`,
  )
  const command = [path, '-p', directory, '-c', file, '-e', 'stderr']
  return { ...(await startProcess(command, { cpu, readyUrl: `${origin}/ping` })), origin }
}

/** Caddy asking by `forward_auth` for every request; `undefined` where it is not installed. */
export async function startCaddy({ check, application }: FrontOrigins): Promise<BenchServer | undefined> {
  const path = findProgram('caddy')
  if (path === undefined) return undefined
  const { port, origin } = await nextOrigin()
  const directory = workDirectory('bench-caddy')
  const file = join(directory, 'Caddyfile')
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  respond /ping 200
  handle /app/* {
    forward_auth ${check} {
      uri /oauth2/auth
      copy_headers X-Auth-Request-Email>kubeflow-userid X-Auth-Request-Groups>kubeflow-groups
    }
    reverse_proxy ${application}
  }
}
`,
  )
  const home = [`XDG_CONFIG_HOME=${directory}`, `XDG_DATA_HOME=${directory}`]
  const command = ['env', ...home, path, 'run', '--config', file, '--adapter', 'caddyfile']
  return { ...(await startProcess(command, { cpu: serverCpu, readyUrl: `${origin}/ping` })), origin }
}

async function nextOrigin(): Promise<{ readonly port: number; readonly origin: string }> {
  const port = await freePort()
  return { port, origin: `http://127.0.0.1:${port}` }
}

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { settleCommandLine } from '../../src/app/oauth2-proxy/command-line.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { parseProxyFlags } from '../../src/proxy/flags.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { selfSignedCertificate } from '../world/certificate.ts'
import { askByGrpc, callGrpc, framed } from '../world/grpc-check.ts'
import { flagsWithout, type ProgramWorld, programDirectory, programWorld } from './oauth2-proxy-world.ts'

let world: ProgramWorld | undefined
afterEach(async () => {
  await world?.running.close()
  if (world && existsSync(world.directory)) rmSync(world.directory, { recursive: true })
  world = undefined
})

async function started(flags: readonly string[] = [], options: Parameters<typeof programWorld>[1] = {}) {
  const opened = await programWorld(flags, options)
  world = opened
  return opened
}

/** A directory with a certificate of its own. */
function certified() {
  const directory = programDirectory()
  const certificate = selfSignedCertificate()
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
  const write = ({ cert, key }: typeof certificate) => {
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  write(certificate)
  const flags = [`--tls-cert-file=${files.cert}`, `--tls-key-file=${files.key}`, '--https-address=127.0.0.1:0']
  return { directory, certificate, files, write, flags }
}

test('an issuer that is down stops nothing but sign-in, and /ready says why', async () => {
  const { ask } = await started()
  expect(await ask('/open/x')).toMatchObject({ status: 202, text: 'Authenticated' })
  expect(await ask('/ping')).toMatchObject({ status: 200, text: 'OK' })
  expect(await ask('/ready')).toMatchObject({ status: 503, text: 'error: the sign-in provider does not answer' })
  expect((await ask('/secret')).status).toBe(403)
})

test('without an upstream what may pass is not found', async () => {
  const { ask } = await started([], { plain: flagsWithout('upstream') })
  expect(await ask('/open')).toMatchObject({ status: 404, text: '404 page not found\n' })
})

test('by Unix socket with a mode', async () => {
  const directory = programDirectory()
  const socketPath = join(directory, 'proxy.sock')
  const { ask, running } = await started([`--http-address=unix://${socketPath},mode=0660`], { directory })
  expect(await ask('/ping', { socketPath })).toMatchObject({ status: 200 })
  expect(statSync(socketPath).mode & 0o777).toBe(0o660)
  await running.close()
  expect(existsSync(socketPath)).toBe(false)
})

test('a Unix socket that a killed program has left behind is taken over, one in use is not', async () => {
  const directory = programDirectory()
  const socketPath = join(directory, 'proxy.sock')
  const left = `require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', left])
  expect(existsSync(socketPath)).toBe(true)
  const { ask } = await started([`--http-address=unix://${socketPath}`], { directory })
  expect(await ask('/ping', { socketPath })).toMatchObject({ status: 200 })
  await expect(programWorld([`--http-address=unix://${socketPath}`], { directory })).rejects.toThrow(/listen \(unix, /)
  expect(await ask('/ping', { socketPath })).toMatchObject({ status: 200 })
})

test('with a certificate it listens by TLS only', async () => {
  const { directory, certificate, flags } = certified()
  const { ask, running } = await started(flags, { directory })
  expect(running.ports.plain).toBeUndefined()
  expect(await ask('/ping', { ca: certificate.cert })).toMatchObject({ status: 200, text: 'OK' })
})

test('a certificate that is written anew is used from the next connection on', async () => {
  const { directory, certificate, files, write, flags } = certified()
  const opened = await started(flags, { directory })
  const renewed = selfSignedCertificate()
  const look = () => {
    opened.running.check() // sees the change
    opened.running.check() // it has rested
  }
  writeFileSync(files.cert, renewed.cert)
  look()
  expect((await opened.ask('/ping', { ca: certificate.cert })).status).toBe(200)
  write(renewed)
  look()
  expect((await opened.ask('/ping', { ca: renewed.cert })).status).toBe(200)
  await expect(opened.ask('/ping', { ca: certificate.cert })).rejects.toThrow()
  expect(await opened.end()).toMatch(/the earlier one keeps running .*the TLS certificate and key cannot be used/)
})

test('a cookie secret that is written anew holds at once, one that is no secret does not', async () => {
  const directory = programDirectory()
  const file = join(directory, 'secret')
  writeFileSync(file, '0123456789abcdef')
  const plain = flagsWithout('cookie-secret')
  const opened = await started([`--cookie-secret-file=${file}`], { directory, plain })
  const renewed = 'fedcba9876543210'
  const keys = { secret: renewed, key: Buffer.from(renewed) }
  const codec = openSessionCodec({
    ...{ name: '_oauth2_proxy', keys, lifetimeSeconds: 0, clock: systemClock, random: systemRandom },
  })
  const cookie = `_oauth2_proxy=${codec.seal({ createdAt: Date.now(), email: 'ada@example.com' })}`
  const statusOf = async () => (await opened.ask('/oauth2/auth', { headers: { cookie } })).status
  const change = (text: string) => {
    writeFileSync(file, text)
    opened.running.check() // sees the change
    opened.running.check() // it has rested
  }
  expect(await statusOf()).toBe(401)
  change(renewed)
  expect(await statusOf()).toBe(202)
  change('short')
  expect(await statusOf()).toBe(202)
})

test('a secret file with a line end too many is refused', async () => {
  const directory = programDirectory()
  writeFileSync(join(directory, 'secret'), '0123456789abcdef\n')
  const flags = [`--cookie-secret-file=${join(directory, 'secret')}`]
  const opening = programWorld(flags, { directory, plain: flagsWithout('cookie-secret') })
  await expect(opening).rejects.toThrow(/cookie_secret_file: .*is 17 bytes; take away the line end/)
  rmSync(directory, { recursive: true })
})

test('a client that speaks an older TLS is refused', async () => {
  const { directory, flags } = certified()
  const { running } = await started([...flags, '--tls-min-version=TLS1.3'], { directory })
  const outcome = await new Promise((resolve) => {
    const port = running.ports.secure ?? 0
    const socket = connectTls({ host: '127.0.0.1', port, maxVersion: 'TLSv1.2', rejectUnauthorized: false }, () =>
      resolve('connected'),
    )
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  expect(outcome).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
})

test('an alpha file listens both ways, and force_https sends from one to the other', async () => {
  const { directory, certificate, files } = certified()
  const alpha = join(directory, 'alpha.yaml')
  writeFileSync(
    alpha,
    `server:
  bindAddress: 127.0.0.1:0
  secureBindAddress: 127.0.0.1:0
  tls: {key: {fromFile: ${files.key}}, cert: {fromFile: ${files.cert}}}
upstreamConfig: {upstreams: [{id: a, path: /, static: true, staticCode: 204}]}
providers:
  - id: main
    provider: oidc
    clientID: id
    clientSecret: shh
    oidcConfig: {issuerURL: http://127.0.0.1:1}
`,
  )
  const plain = ['--cookie-secret=0123456789abcdef0123456789abcdef', '--email-domain=*', '--skip-auth-route=^/open']
  const { ask, running } = await started([`--alpha-config=${alpha}`, '--force-https'], { directory, plain })
  const { plain: plainPort, secure } = running.ports
  expect(await ask('/open?a=1', { headers: { host: `a.example:${plainPort}` } })).toMatchObject({
    status: 308,
    headers: { location: `https://a.example:${secure}/open?a=1` },
  })
  expect(await ask('/open', { headers: { host: 'a.example', 'x-forwarded-proto': 'https' } })).toMatchObject({
    headers: { location: 'https://a.example/open' },
  })
  expect(await ask('/open', { ca: certificate.cert })).toMatchObject({ status: 204, text: '' })
})

test('metrics are the original’s, and probes are not counted', async () => {
  const { ask, running } = await started(['--metrics-address=127.0.0.1:0'])
  await ask('/open')
  await ask('/secret', { method: 'POST' })
  await ask('/ping')
  await ask('/ready')
  const { text } = await ask('/metrics', { port: running.metricsPorts.plain })
  const lines = text
    .split('\n')
    .filter((line) => /^oauth2_proxy_(?:requests|response_duration_seconds_count)/.test(line))
  expect(lines).toEqual([
    'oauth2_proxy_requests_total{code="202"} 1',
    'oauth2_proxy_requests_total{code="403"} 1',
    'oauth2_proxy_requests_in_flight 0',
    'oauth2_proxy_response_duration_seconds_count{method="get"} 1',
    'oauth2_proxy_response_duration_seconds_count{method="post"} 1',
  ])
  expect(text).toMatch(/^process_cpu_seconds_total /m)
})

test('each request is a line as the original writes it', async () => {
  const opened = await started(['--exclude-logging-path=/open/quiet', '--silence-ping-logging'])
  await opened.ask('/open/x?a="b"', {
    headers: { 'x-request-id': 'r-1', 'user-agent': 'curl/8 "x"', host: 'a.example' },
  })
  for (const path of ['/open/quiet?x', '/ping', '/ready']) await opened.ask(path)
  const log = await opened.end()
  const lines = log.split('\n').filter((line) => line.includes('HTTP/1.1'))
  expect(lines).toEqual([
    expect.stringMatching(
      /^127\.0\.0\.1:\d+ - r-1 - - \[\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\] a\.example GET static:\/\/202 "\/open\/x\?a=\\"b\\"" HTTP\/1\.1 "curl\/8 \\"x\\"" 202 13 \d\.\d{3}$/,
    ),
  ])
})

test('lines have the format they are given, and kinds of lines can be off', async () => {
  const opened = await started([
    '--request-logging-format={{ .RequestMethod }} {{.RequestURI}} {{.StatusCode}} {{.Client}}',
    '--standard-logging=false',
    ...['--reverse-proxy', '--trusted-proxy-ip=127.0.0.1', '--real-client-ip-header=X-Forwarded-For'],
  ])
  await opened.ask('/open', { headers: { 'x-forwarded-for': '8.8.8.8' } })
  expect(await opened.end()).toBe('GET "/open" 202 8.8.8.8\n')
})

test("the secrets of Kubeflow's manifests are refused, unless --compat takes them", () => {
  const known = '7d16fee92f8d11b8940b081b3f8b8acb'
  const settle = (...flags: string[]) => {
    const argv = [...flagsWithout('cookie-secret'), `--cookie-secret=${known}`, '--config-test', ...flags]
    return settleCommandLine({ argv, flags: parseProxyFlags(argv), variables: {}, readFile: String })
  }
  expect(settle()).toMatchObject({ status: 1, stderr: expect.stringContaining('everyone knows it') })
  expect(settle('--compat')).toMatchObject({ status: 0, stderr: expect.stringContaining('everyone knows it') })
})

test('a format that asks for more than fields is refused with what there is', async () => {
  await expect(started(['--request-logging-format={{.Client | printf "%s"}}'])).rejects.toThrow(
    /request_logging_format: .*is not one of \{\{\.Client\}\}/,
  )
})

test('probes for Google need their User-Agent', async () => {
  const { ask } = await started(['--gcp-healthchecks'])
  const google = { 'user-agent': 'GoogleHC/1.0' }
  expect(await ask('/liveness_check', { headers: google })).toMatchObject({ status: 200, text: 'OK' })
  expect((await ask('/liveness_check')).status).toBe(403)
  expect((await ask('/secret', { headers: google })).status).toBe(403)
})

test('an address in trusted_ips passes, whatever a header says of others', async () => {
  const flags = [
    '--reverse-proxy',
    '--trusted-proxy-ip=127.0.0.1',
    '--trusted-ip=10.0.0.0/8',
    '--real-client-ip-header=X-Real-IP',
  ]
  const { ask } = await started(flags)
  expect((await ask('/secret', { headers: { 'x-real-ip': '10.0.0.9' } })).status).toBe(202)
  expect((await ask('/oauth2/auth', { headers: { 'x-real-ip': '10.0.0.9' } })).status).toBe(202)
  expect((await ask('/secret', { headers: { 'x-real-ip': '8.8.8.8' } })).status).toBe(403)
  await world?.running.close()
  const closed = await started(['--reverse-proxy', '--trusted-proxy-ip=10.0.0.1', '--trusted-ip=10.0.0.0/8'])
  expect((await closed.ask('/secret', { headers: { 'x-real-ip': '10.0.0.9' } })).status).toBe(403)
})

test('robots.txt is the one of custom_templates_dir', async () => {
  const directory = programDirectory()
  writeFileSync(join(directory, 'robots.txt'), 'User-agent: *\nAllow: /\n')
  const { ask } = await started([`--custom-templates-dir=${directory}`], { directory })
  expect(await ask('/robots.txt')).toMatchObject({ status: 200, text: 'User-agent: *\nAllow: /\n' })
})

test('a program without a listener does not start', async () => {
  await expect(programWorld(['--http-address=-'])).rejects.toThrow('nothing to listen on')
})

test('what cannot be listened on is told with its address', async () => {
  const first = await started()
  await expect(programWorld([`--http-address=127.0.0.1:${first.running.ports.plain}`])).rejects.toThrow(
    /listen \(tcp, 127\.0\.0\.1:\d+\) failed/,
  )
})

test('closing lets an answer under way finish and takes no new connection', async () => {
  const { ask, running } = await started()
  await ask('/ping')
  await running.close()
  const refused = await new Promise((resolve) => {
    const socket = connect(running.ports.plain ?? 0, '127.0.0.1', () => resolve('connected'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  expect(refused).toBe('ECONNREFUSED')
})

test('grpc_address opens the check by gRPC beside the listener', async () => {
  const { running } = await started(['--grpc-address=127.0.0.1:0'])
  const { grpcPort = 0 } = running
  expect(await askByGrpc(grpcPort, { path: '/open/x' })).toMatchObject({ code: '0', verdict: 'allow' })
  expect(await askByGrpc(grpcPort, { path: '/secret' })).toMatchObject({ verdict: 'deny', status: 403 })
  const health = await callGrpc(grpcPort, '/grpc.health.v1.Health/Check', framed(Buffer.alloc(0)))
  expect(health.message.toString('hex')).toBe('0802') // NOT_SERVING: the issuer is down
})

import { spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import process from 'node:process'
import { expect, test } from 'vitest'
import { keyDescriptions } from '../../src/proxy/key-descriptions.ts'
import { gatehouseMain, runGatehouse } from '../world/command.ts'
import { flagsWithout } from './oauth2-proxy-world.ts'

const plain = flagsWithout('none')

test('it starts, says so in the original’s words, and a signal ends it with status 0', async () => {
  const running = runGatehouse('oauth2-proxy', ...plain)
  await running.until(
    /\[proxy\] Cookie settings: name:_oauth2_proxy secure\(https\):true .* expiry:168h0m0s .* refresh:disabled\n/,
  )
  expect(running.text()).toMatch(/OAuthProxy configured for .*Client ID: id/)
  running.process.kill('SIGTERM')
  expect(await running.ended()).toBe(0)
})

test('an issuer that does not answer is in the log before anybody signs in', async () => {
  const running = runGatehouse('oauth2-proxy', ...plain)
  await running.until(/WARNING: the provider could not be discovered url=http:\/\/127\.0\.0\.1:1\/dex\/.well-known/)
  running.process.kill('SIGTERM')
  expect(await running.ended()).toBe(0)
})

test('it listens on a socket it is given, as systemd does', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle // Node shows it nowhere else
  const flags = [...plain.filter((flag) => !flag.startsWith('--http-address')), '--http-address=fd:3']
  const child = spawn(process.execPath, [gatehouseMain, 'oauth2-proxy', ...flags], {
    stdio: ['ignore', 'pipe', 'ignore', fd],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise<void>((resolve) => server.close(() => resolve()))
  try {
    expect(await (await fetch(`http://127.0.0.1:${port}/ping`)).text()).toBe('OK')
  } finally {
    child.kill()
  }
  expect(await ended).toBe(0)
})

test('a flag nobody knows ends it with status 2 and the one that was meant', async () => {
  const running = runGatehouse('oauth2-proxy', ...plain, '--cookie-nme=x')
  expect(await running.ended()).toBe(2)
  expect(running.text()).toContain('unknown flag `--cookie-nme`; did you mean `--cookie-name`?')
})

test('a configuration that cannot be run ends it with status 1 and all that is wrong, in the original’s words', async () => {
  const flags = ['--cookie-secret=short', '--cookie-refresh=200h', '--client-id=', '--client-secret=', '--trusted-ip=x']
  const running = runGatehouse('oauth2-proxy', ...plain, ...flags)
  expect(await running.ended()).toBe(1)
  expect(running.text()).toMatch(/^invalid configuration:\n/)
  for (const words of [
    'must be 16, 24, or 32 bytes to create an AES cipher, but is 5 bytes',
    'cookie_refresh ("200h0m0s") must be less than cookie_expire ("168h0m0s")',
    'provider missing setting: client-id',
    'missing setting: client-secret or client-secret-file',
    'trusted_ips[0] (x) could not be recognized',
  ]) {
    expect(running.text()).toContain(words)
  }
  expect(running.text()).not.toContain('=short')
})

test('every file that would keep it from starting is named by --config-test, with its key', async () => {
  const flags = ['--htpasswd-file=/none/a', '--provider-ca-file=/none/b', '--tls-cert-file=/none/c', '--config-test']
  const running = runGatehouse('oauth2-proxy', ...plain, ...flags)
  expect(await running.ended()).toBe(1)
  for (const words of ['htpasswd_file: `/none/a`', 'provider_ca_files: `/none/b`', 'tls_cert_file: `/none/c`']) {
    expect(running.text()).toContain(`${words} cannot be read; correct the path, or its permissions`)
  }
})

test('--help lists every flag with what it is for, --version says whose place it takes', async () => {
  const help = runGatehouse('oauth2-proxy', '--help')
  expect(await help.ended()).toBe(0)
  for (const flag of ['--alpha-config', '--email-domain strings', '--cookie-expire duration', '--reverse-proxy']) {
    expect(help.text()).toContain(`  ${flag}`)
  }
  for (const text of Object.values(keyDescriptions)) expect(help.text()).toContain(` ${text}`)
  const version = runGatehouse('oauth2-proxy', '--version')
  expect(await version.ended()).toBe(0)
  expect(version.text()).toMatch(/^oauth2-proxy \d+\.\d+\.\d+ \(gatehouse, Node \d+/)
})

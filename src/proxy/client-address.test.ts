import { expect, test } from 'vitest'
import type { CheckRequest } from './check.ts'
import { compileClientAddress } from './client-address.ts'
import { compileTrustedProxies } from './trusted-proxies.ts'
import { defaultProxyConfig, type ProxyConfig } from './typed-config.ts'

const behindProxies: Partial<ProxyConfig> = {
  reverse_proxy: true,
  trusted_proxy_ips: ['10.0.0.0/8'],
  real_client_ip_header: 'X-Forwarded-For',
}

function addressOf(values: Partial<ProxyConfig>, peer: string, told?: string): string {
  const request: CheckRequest = {
    method: 'GET',
    path: '/',
    host: 'a.example',
    headers: { 'x-forwarded-for': told },
    clientAddress: peer,
    requestId: '1',
  }
  return compileClientAddress({ ...defaultProxyConfig, ...values })(request)
}

test('a believed proxy tells the client, with or without a port', () => {
  expect(addressOf(behindProxies, '10.0.0.1', '8.8.8.8')).toBe('8.8.8.8')
  expect(addressOf(behindProxies, '::ffff:10.0.0.1', '8.8.8.8:5050')).toBe('8.8.8.8')
  expect(addressOf(behindProxies, '10.0.0.1', '[2001:db8::1]:443')).toBe('2001:db8::1')
})

test('an address a client wrote in front of its own does not count', () => {
  expect(addressOf(behindProxies, '10.0.0.1', '10.9.9.9, 8.8.8.8')).toBe('8.8.8.8')
  expect(addressOf(behindProxies, '10.0.0.1', '1.1.1.1, 8.8.8.8, 10.0.0.7')).toBe('8.8.8.8')
})

test('whoever is not believed is the client, whatever it says', () => {
  expect(addressOf(behindProxies, '8.8.8.8', '10.0.0.1')).toBe('8.8.8.8')
  expect(addressOf({ ...behindProxies, trusted_proxy_ips: [] }, '10.0.0.1', '1.1.1.1')).toBe('10.0.0.1')
  expect(addressOf({ ...behindProxies, reverse_proxy: false }, '10.0.0.1', '1.1.1.1')).toBe('10.0.0.1')
  expect(addressOf(behindProxies, '10.0.0.1', 'unknown')).toBe('10.0.0.1')
})

test('compat believes everybody and takes the first entry, as the original does', () => {
  const values = { ...behindProxies, trusted_proxy_ips: [], compat: true }
  expect(addressOf(values, '8.8.8.8', '10.0.0.1, 1.1.1.1')).toBe('10.0.0.1')
})

test('a peer on a Unix socket is believed where somebody is', () => {
  const isTrusted = (values: Partial<ProxyConfig>) => compileTrustedProxies({ ...defaultProxyConfig, ...values })('')
  expect(isTrusted(behindProxies)).toBe(true)
  expect(isTrusted({ reverse_proxy: true })).toBe(false)
  expect(isTrusted({})).toBe(false)
})

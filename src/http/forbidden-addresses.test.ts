import { describe, expect, test } from 'vitest'
import { isForbiddenAddress, isForbiddenHost, isPrivateHost } from './forbidden-addresses.ts'

describe('never connected to', () => {
  test.each([
    ...['169.254.169.254', '169.254.0.1', '100.100.100.200', '168.63.129.16', '192.0.0.192', '0.0.0.0', '224.0.0.1'],
    ...['fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', 'fd20:ce::254', '::', 'ff02::1'],
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe'],
  ])('%s', (address) => expect(isForbiddenAddress(address)).toBe(true))

  test.each([
    ...['http://0xa9fea9fe/', 'http://2852039166/', 'http://169.254.43518/', 'http://[::ffff:169.254.169.254]/'],
    ...['http://METADATA.google.internal/', 'http://metadata.google.internal./', 'http://[fe80::1]/', 'http://0/'],
  ])('%s', (url) => expect(isForbiddenHost(new URL(url).hostname)).toBe(true))

  test.each([
    ...['127.0.0.1', '10.0.0.1', '192.168.1.1', '172.18.0.2', '::1', 'fd00::1', '8.8.8.8', '2606:4700::1', 'localhost'],
    ...['169.253.0.1', '100.100.100.201', 'dex.auth.svc.cluster.local', ''],
  ])('but %s is', (host) => {
    expect(isForbiddenAddress(host)).toBe(false)
    expect(isForbiddenHost(host)).toBe(false)
  })
})

test.each([
  ...(
    ['localhost', 'a.localhost', '127.0.0.2', '[::1]', '10.1.2.3', '172.31.0.1', '192.168.0.1', '[fd12::1]'] as const
  ).map((host) => [host, true] as const),
  ...(['example.com', '8.8.8.8', '172.32.0.1', '[2606:4700::1]', 'localhost.example.com'] as const).map(
    (host) => [host, false] as const,
  ),
])('%s is private as written: %s', (host, isPrivate) => expect(isPrivateHost(host)).toBe(isPrivate))

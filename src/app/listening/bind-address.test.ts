import { expect, test } from 'vitest'
import { describeAddress, parseBindAddress } from './bind-address.ts'

test.each([
  ['127.0.0.1:4180', { kind: 'tcp', host: '127.0.0.1', port: 4180 }],
  [':443', { kind: 'tcp', host: undefined, port: 443 }],
  ['http://[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
  ['unix:///run/proxy.sock', { kind: 'unix', path: '/run/proxy.sock', mode: undefined }],
  ['unix:///run/proxy.sock,mode=0660', { kind: 'unix', path: '/run/proxy.sock', mode: 0o660 }],
  ['FD:3', { kind: 'descriptor', descriptor: 3 }],
  ['', undefined],
  ['-', undefined],
])('`%s` is read', (text, expected) => {
  expect(parseBindAddress(text)).toEqual(expected)
})

test.each(['4180', 'ftp://host:21', 'host:99999', 'host:http', 'unix:///a,mode', 'unix:///a,mode=rw'])(
  '`%s` is refused',
  (text) => {
    expect(() => parseBindAddress(text)).toThrow(/cannot listen|unix socket/)
  },
)

test('an address is told as the original tells it', () => {
  const told = [':443', '[::1]:80', 'unix:///a,mode=0600', 'fd:3'].map((text) => {
    const address = parseBindAddress(text)
    return address && describeAddress(address)
  })
  expect(told).toEqual(['(tcp, :443)', '(tcp, [::1]:80)', '(unix, /a)', '(fd, 3)'])
})

import { describe, expect, test } from 'vitest'
import { parseGatewayConfig } from '../../src/gateway/config.ts'
import { portAt } from '../../src/gateway/services.ts'
import { Problems } from '../../src/kit/problems.ts'
import { documents } from './gateway-world.ts'

/** What stands in these manifests, by the key of the service. */
function services(yaml: string) {
  const problems = new Problems()
  const { services: found } = parseGatewayConfig(documents(yaml), problems)
  expect(problems.list).toEqual([])
  return new Map(found.map((service) => [service.key, service]))
}

const service = (port: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'app', namespace: 'apps' },
    spec: { ports: [port] },
  })

describe('a port speaks HTTP/2', () => {
  test.each([
    ['by its name', { port: 80, name: 'http2-web' }, true],
    ['named for gRPC', { port: 80, name: 'grpc' }, true],
    ['named for gRPC-Web', { port: 80, name: 'grpc-web-a' }, true],
    ['by its appProtocol', { port: 80, name: 'http', appProtocol: 'kubernetes.io/h2c' }, true],
    ['unless the appProtocol says otherwise', { port: 80, name: 'grpc-a', appProtocol: 'http' }, false],
    ['not named for HTTP', { port: 80, name: 'http-grpc' }, false],
    ['not without a name', { port: 80 }, false],
  ])('%s', (_, port, isHttp2) => {
    const known = services(service(port))
    expect(portAt(known, { host: 'app', port: 80, namespace: 'apps' })).toEqual({ port: 80, isHttp2 })
  })
})

test.each(['app', 'app.apps', 'app.apps.svc', 'app.apps.svc.cluster.local'])('%s is one service', (host) => {
  const known = services(service({ port: 8080, name: 'grpc' }))
  expect(portAt(known, { host, port: undefined, namespace: 'apps' })).toEqual({ port: 8080, isHttp2: true })
  expect(portAt(known, { host, port: 9, namespace: 'apps' })).toEqual({ port: 9, isHttp2: false })
})

test('a ServiceEntry tells the protocol of its ports', () => {
  const known = services(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside, namespace: apps }
spec: { hosts: [api.example.com], ports: [{ number: 9000, name: a, protocol: GRPC }, { number: 80, name: b, protocol: HTTP }] }`)
  const at = (port: number) => portAt(known, { host: 'api.example.com', port, namespace: 'x' }).isHttp2
  expect([at(9000), at(80)]).toEqual([true, false])
})

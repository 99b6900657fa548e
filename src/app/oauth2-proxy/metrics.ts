import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { RequestHandler } from '../open-server.ts'

/** What is counted of the requests to the proxy; probes are not. */
export interface RequestMetrics {
  begin(): void
  end(answered: { readonly method: string; readonly status: number; readonly seconds: number }): void
  /** Answers every path with the series. */
  readonly handler: RequestHandler['handle']
}

/** The original's series (oauth2-proxy pkg/middleware/metrics.go), and those of the process and of Node. */
export function openRequestMetrics(): RequestMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'oauth2_proxy_requests_total',
    help: 'Total number of requests by HTTP status code.',
    labelNames: ['code'],
    registers,
  })
  const inFlight = new Gauge({
    name: 'oauth2_proxy_requests_in_flight',
    help: 'Current number of requests being served.',
    registers,
  })
  const durations = new Histogram({
    name: 'oauth2_proxy_response_duration_seconds',
    help: 'A histogram of request latencies.',
    labelNames: ['method'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  return {
    begin: () => inFlight.inc(),
    end({ method, status, seconds }) {
      inFlight.dec()
      requests.inc({ code: status })
      durations.observe({ method: knownMethod(method) }, seconds)
    },
    handler(_request, response) {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      )
    },
  }
}

const methods = new Set(['get', 'put', 'head', 'post', 'delete', 'connect', 'options', 'notify', 'trace', 'patch'])

/** As promhttp writes it; a method nobody knows could be any text of a client. */
function knownMethod(method: string): string {
  const lower = method.toLowerCase()
  return methods.has(lower) ? lower : 'unknown'
}

/** Whether the request is a gRPC call; gRPC-Web, whose clients read HTTP statuses, is none. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/i.test(contentType)
}

/** gRPC's status for one of HTTP (Envoy source/common/grpc/status.cc `httpToGrpcStatus`). */
const statuses: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
}
const unknown = 2

/** The head that is a whole gRPC answer: status 200, with what was refused where trailers would be. Flat. */
export function grpcRefusal(status: number, message: string): readonly string[] {
  const head = ['content-type', 'application/grpc', 'grpc-status', String(statuses[status] ?? unknown)]
  return message === '' ? head : [...head, 'grpc-message', percentEncoded(message)]
}

/** All but printable ASCII, and `%` (gRPC over HTTP/2, "Percent-Encoded"). */
function percentEncoded(message: string): string {
  return Buffer.from(message, 'utf8')
    .toString('latin1')
    .replace(/[^ -$&-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

import { parseGoDuration } from '../kit/duration.ts'
import type { Random } from '../kit/random.ts'
import type { Reader } from '../policy/reader.ts'

/** A VirtualService's `fault`: what is broken on purpose, after the policies let the request on. */
export interface Fault {
  readonly delay: { readonly milliseconds: number; readonly percentage: number } | undefined
  readonly abort:
    | { readonly httpStatus: number; readonly grpcStatus: number | undefined; readonly percentage: number }
    | undefined
}

/** What becomes of one request. */
export interface DrawnFault {
  readonly delayMilliseconds: number
  readonly abort: Fault['abort']
}

/** Reads a `fault`; `undefined` where there is none. */
export function parseFault(fault: Reader): Fault | undefined {
  if (!fault.isPresent) return undefined
  fault.refuseUnknown(['delay', 'abort'])
  const [delay, abort] = [fault.field('delay'), fault.field('abort')]
  delay.refuseUnknown(['fixedDelay', 'percentage', 'percent'])
  abort.refuseUnknown(['httpStatus', 'grpcStatus', 'percentage', 'percent'])
  return {
    delay: delay.isPresent
      ? { milliseconds: parseDelay(delay.field('fixedDelay')), percentage: parsePercentage(delay) }
      : undefined,
    abort: abort.isPresent ? { ...parseStatus(abort), percentage: parsePercentage(abort) } : undefined,
  }
}

function parseDelay(reader: Reader): number {
  const milliseconds = parseGoDuration(reader.text() ?? '')
  if (milliseconds === undefined || milliseconds < 0) reader.error('needs a duration', 'write for example `5s`')
  return milliseconds ?? 0
}

/** Percent of the requests; none where it does not say (Istio's HTTPFaultInjection reference). */
function parsePercentage(reader: Reader): number {
  const value = reader.field('percentage').field('value')
  const percent = value.isPresent ? Number(value.value) : (reader.field('percent').integer() ?? 0)
  if (!(percent >= 0 && percent <= 100)) reader.error('must be a percentage from 0 to 100')
  return percent
}

const grpcCodes =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  )

function parseStatus(abort: Reader) {
  const grpc = abort.field('grpcStatus')
  const httpStatus = abort.field('httpStatus').integer() ?? (grpc.isPresent ? 200 : 0)
  if (httpStatus < 200 || httpStatus > 599) abort.field('httpStatus').error('must be a status from 200 to 599')
  if (!grpc.isPresent) return { httpStatus, grpcStatus: undefined }
  const grpcStatus = grpcCodes.indexOf(grpc.text() ?? '')
  if (grpcStatus < 0) grpc.error('no gRPC status', `known: ${grpcCodes.join(', ')}`)
  return { httpStatus, grpcStatus }
}

/** Draws what becomes of this request. */
export function drawFault({ delay, abort }: Fault, random: Random): DrawnFault {
  const isDrawn = (percentage: number) =>
    percentage > 0 && (random.bytes(4).readUInt32BE() / 2 ** 32) * 100 < percentage
  return {
    delayMilliseconds: delay && isDrawn(delay.percentage) ? delay.milliseconds : 0,
    abort: abort && isDrawn(abort.percentage) ? abort : undefined,
  }
}

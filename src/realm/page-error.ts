import { GatehouseError } from '../kit/errors.ts'

/** Something that must be told to the person at the browser, never to a redirect URI. */
export class PageError extends GatehouseError {
  readonly status: number

  constructor(message: string, { status = 400, detail }: { status?: number; detail?: string } = {}) {
    super('page', message, detail === undefined ? {} : { detail })
    this.name = 'PageError'
    this.status = status
  }
}

import type { DeviceRequest } from '../access-tokens/device-logins.ts'
import type { TokenWish } from '../access-tokens/token-wish.ts'

/** What a login is for, where it is not to sign the browser in: the session goes to a program of the user. */
export type LoginPurpose =
  | { readonly kind: 'access-token'; readonly wish: TokenWish }
  | { readonly kind: 'device'; readonly request: DeviceRequest }

import type { Mapper } from './mapper.ts'
import { setClaim, typedValue } from './set-claim.ts'

/** `oidc-acr-mapper`: how the user signed in for this client. */
export const acr: Mapper = {
  map(claims, _config, input) {
    if (input.acr !== undefined) claims['acr'] = input.acr
  },
}

/** `oidc-sub-mapper`: the user's id. */
export const sub: Mapper = {
  map(claims, _config, { user }) {
    claims['sub'] = user.id
  },
}

/** `oidc-usersessionmodel-note-mapper`: a fact of the session. */
export const sessionNote: Mapper = {
  map(claims, config, { notes }) {
    const note = config['user.session.note'] ?? ''
    const value = Object.hasOwn(notes, note) ? notes[note] : undefined
    setClaim(claims, config, value === undefined ? undefined : typedValue([String(value)], config))
  },
}

/** `oidc-hardcoded-claim-mapper`: the same value for everyone. */
export const hardcodedClaim: Mapper = {
  map(claims, config) {
    setClaim(claims, config, typedValue([config['claim.value'] ?? ''], config))
  },
}

/** `oidc-nonce-backwards-compatible-mapper`: the request's nonce in tokens that no longer carry it. */
export const nonce: Mapper = {
  isInAccessTokenByDefault: true,
  map(claims, _config, input) {
    if (input.nonce !== undefined) claims['nonce'] = input.nonce
  },
}

/** The `state` parameter: whose login it is and where it leads. */
export interface LoginState {
  /** Hash of the bytes in the login cookie. */
  readonly hash: string
  /** Where the user wanted to go. Not to be trusted: it is validated again at the callback. */
  readonly target: string
  /** This login replaces one whose cookie was gone; it is not replaced again. */
  readonly isRestarted: boolean
  /** Which of several providers this login is at, by its place in the configuration; not to be trusted either. */
  readonly place?: number
}

const restartMark = '.r'

/** `H(s):rd`, unpadded base64url of it with `encode_state` (oauth2-proxy oauthproxy.go `encodeState`). */
export function formatState({ hash, target, isRestarted, place }: LoginState, encoded: boolean): string {
  const marks = `${isRestarted ? restartMark : ''}${place === undefined ? '' : `.${place}`}`
  const text = `${hash}${marks}:${target}`
  return encoded ? Buffer.from(text).toString('base64url') : text
}

/** Takes a `state` apart; `undefined` where it cannot be one of ours. */
export function parseState(state: string, encoded: boolean): LoginState | undefined {
  const match = /^([A-Za-z0-9_-]{43})(\.r)?(?:\.(\d{1,3}))?:(.*)$/s.exec(textOfState(state, encoded))
  if (!match) return undefined
  const [, hash = '', mark, place, target = ''] = match
  return { hash, target, isRestarted: mark !== undefined, ...(place === undefined ? {} : { place: Number(place) }) }
}

/** What a `state` says, whoever made it. */
export function textOfState(state: string, encoded: boolean): string {
  return encoded ? Buffer.from(state, 'base64url').toString('utf8') : state
}

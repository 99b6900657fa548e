import { createHash } from 'node:crypto'
import type { Clock } from '../../kit/clock.ts'
import { type Collection, never, type Records } from '../../store/records.ts'
import type { Session } from '../session.ts'
import type { AccessToken } from './access-token.ts'

/** Whose tokens: somebody as apps know them (`kubeflow-userid`), by the word of one provider. */
export type TokenOwner = Pick<Session, 'email' | 'provider'>

/** What owners see of their tokens. Lists are named by hashes; one provider's users know nothing of another's. */
export interface TokenLists {
  /** The list a token of theirs belongs on. */
  listOf(owner: TokenOwner): string
  /** Every list their tokens may be on. */
  listsOf(owner: TokenOwner): readonly string[]
  /** Their tokens that have not ended, newest first. */
  read(owner: TokenOwner): Promise<readonly AccessToken[]>
  add(list: string, token: AccessToken): Promise<void>
  remove(list: string, id: string): Promise<void>
  move(id: string, way: { readonly from: string; readonly to: string }): Promise<void>
  noteUse(list: string, id: string): Promise<void>
}

/** How exactly `usedAt` is known, in milliseconds. */
const usageStep = 3_600_000

/** Opens the lists. Whoever's session names no provider is the first one's, as wherever the proxy asks for a session's. */
export function openTokenLists({
  records,
  firstProvider,
  clock,
}: {
  readonly records: Records
  readonly firstProvider: string
  readonly clock: Clock
}): TokenLists {
  const lists: Collection<readonly AccessToken[]> = records.collection('proxy-access-token-owners')
  const isAlive = ({ expiresAt }: AccessToken) => clock.now() < expiresAt

  function listsOf({ email = '', provider = firstProvider }: TokenOwner): readonly string[] {
    const own = listOf({ email, provider })
    return provider === firstProvider ? [own, listOf({ email })] : [own]
  }

  async function add(list: string, token: AccessToken): Promise<void> {
    if (await lists.create(list, [token], never)) return
    await lists.update(list, (tokens) => [token, ...tokens.filter(({ id }) => id !== token.id).filter(isAlive)])
  }

  async function remove(list: string, id: string): Promise<void> {
    await lists.update(list, (tokens) => tokens.filter((token) => token.id !== id))
  }

  return {
    listOf,
    listsOf,
    add,
    remove,
    async read(owner) {
      const found = await Promise.all(listsOf(owner).map((list) => lists.find(list)))
      const tokens = found.flatMap((list) => list ?? []).filter(isAlive)
      return tokens.toSorted((a, b) => b.createdAt - a.createdAt)
    },
    async move(id, { from, to }) {
      const token = (await lists.find(from))?.find((one) => one.id === id)
      if (!token) return
      await add(to, token)
      await remove(from, id)
    },
    async noteUse(list, id) {
      const now = clock.now()
      const isDue = (token: AccessToken) => token.id === id && now - (token.usedAt ?? 0) >= usageStep
      await lists.update(list, (tokens) =>
        tokens.some(isDue) ? tokens.map((token) => (isDue(token) ? { ...token, usedAt: now } : token)) : undefined,
      )
    },
  }
}

/** Without a provider: as of old, when there was one list for all of them. */
function listOf({ email = '', provider }: TokenOwner): string {
  const address = email.toLowerCase()
  const name = provider === undefined ? address : JSON.stringify([provider, address])
  return createHash('sha256').update(name).digest('base64url')
}

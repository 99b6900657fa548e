import type { Random } from '../kit/random.ts'

/** A user made for the first run, with the password that is printed once. */
export interface DemoUser {
  readonly username: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  /** Group paths as Keycloak writes them. */
  readonly groups: readonly string[]
}

/** Two people with different rights, so that groups can be seen at work. */
export const demoUsers: readonly DemoUser[] = [
  {
    username: 'ada',
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'Lovelace',
    groups: ['/platform-users', '/platform-admins', '/team/ml'],
  },
  {
    username: 'grace',
    email: 'grace@example.com',
    firstName: 'Grace',
    lastName: 'Hopper',
    groups: ['/platform-users'],
  },
]

const letters = 'abcdefghjkmnpqrstuvwxyz23456789'

/** A password people can read out and type: four groups of four, about 79 bits. */
export function readablePassword(random: Random): string {
  const groups = Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => letter(random)).join(''))
  return groups.join('-')
}

/** Every letter equally likely: bytes that would favour some are thrown away. */
function letter(random: Random): string {
  const limit = 256 - (256 % letters.length)
  for (;;) {
    const byte = random.bytes(1).readUInt8(0)
    if (byte < limit) return letters.charAt(byte % letters.length)
  }
}

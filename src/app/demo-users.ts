import type { Random } from '../kit/random.ts'
import type { RealmRepresentation } from '../realm/config.ts'
import type { RealmUsers } from '../realm/users.ts'

/** A user made for the first run. */
export interface DemoUser {
  readonly username: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  /** Group paths as Keycloak writes them. */
  readonly groups: readonly string[]
}

/** One that was made, with the password in clear. */
export interface NewDemoUser extends DemoUser {
  readonly password: string
}

/** Two people with different rights, so that groups can be seen at work. */
const demoUsers: readonly DemoUser[] = [
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

/** Makes the demo users in a realm that has none; they join those of their groups that the realm has. */
export async function addDemoUsers(
  users: RealmUsers,
  realm: RealmRepresentation,
  random: Random,
): Promise<NewDemoUser[]> {
  const known = groupPaths(realm.groups)
  const added = demoUsers.map((user) => ({
    ...user,
    groups: user.groups.filter((group) => known.includes(group)),
    password: readablePassword(random),
  }))
  for (const user of added) await users.create(realm.realm, user)
  return added
}

interface Group {
  readonly name: string
  readonly subGroups?: readonly Group[]
}

function groupPaths(groups: readonly Group[] = [], parent = ''): string[] {
  return groups.flatMap(({ name, subGroups }) => [`${parent}/${name}`, ...groupPaths(subGroups, `${parent}/${name}`)])
}

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

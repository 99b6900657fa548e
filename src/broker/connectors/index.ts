import { z } from 'zod'
import type { Connector, ConnectorDependencies } from './connector.ts'
import { openLocalConnector, type PasswordEntry } from './local.ts'
import {
  mockCallbackConfigSchema,
  mockPasswordConfigSchema,
  openMockCallbackConnector,
  openMockPasswordConnector,
} from './mock.ts'
import { openOidcConnector } from './oidc.ts'
import { oidcConnectorConfigSchema } from './oidc-config.ts'

/** Every connector type: the schema of its `config` and what opens it. A new one is a file, a row here and a test. */
const connectorTypes = {
  oidc: { schema: oidcConnectorConfigSchema, open: openOidcConnector },
  mockCallback: { schema: mockCallbackConfigSchema, open: openMockCallbackConnector },
  mockPassword: { schema: mockPasswordConfigSchema, open: openMockPasswordConnector },
}

type ConnectorType = keyof typeof connectorTypes

/** One entry of `connectors:`, told apart by `type`. */
export type ConnectorConfig = {
  [Type in ConnectorType]: {
    readonly type: Type
    readonly id: string
    readonly name: string
    readonly config: z.output<(typeof connectorTypes)[Type]['schema']>
  }
}[ConnectorType]

const required = (name: string) => z.string(`a connector needs \`${name}\``).min(1, 'must not be empty')

/** The schema of one entry of `connectors:`. */
export const connectorConfigSchema = z.discriminatedUnion('type', entrySchemas(), {
  error: ({ input }) => {
    const type = (input as { type?: unknown } | undefined)?.type
    return `unknown type \`${type}\` (known: ${Object.keys(connectorTypes).join(', ')})`
  },
}) as unknown as z.ZodType<ConnectorConfig> // the options are built from the table, so their types are lost on the way

function entrySchemas() {
  const [first, ...rest] = Object.entries(connectorTypes).map(([type, { schema }]) =>
    z.strictObject({ type: z.literal(type), id: required('id'), name: required('name'), config: schema }),
  )
  if (!first) throw new TypeError('the table of connectors is empty')
  return [first, ...rest] as const
}

/** A connector with its place in the configuration. */
export interface OpenConnector extends Connector {
  readonly id: string
  readonly name: string
  readonly type: string
}

/** Opens every configured connector, the password database as `local`. */
export function openConnectors(
  {
    connectors,
    enablePasswordDB,
    staticPasswords,
  }: {
    readonly connectors: readonly ConnectorConfig[]
    readonly enablePasswordDB: boolean
    readonly staticPasswords: readonly PasswordEntry[]
  },
  dependencies: Omit<ConnectorDependencies, 'id'>,
): readonly OpenConnector[] {
  const opened = connectors.map(({ id, name, type, config }): OpenConnector => {
    // The union ties `config` to `type`; TypeScript cannot follow that through the table.
    const open = connectorTypes[type].open as (config: unknown, dependencies: ConnectorDependencies) => Connector
    return { id, name, type, ...open(config, { ...dependencies, id }) }
  })
  if (!enablePasswordDB) return opened
  return [...opened, { id: 'local', name: 'Email', type: 'local', ...openLocalConnector(staticPasswords) }]
}

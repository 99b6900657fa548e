import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Migrations } from '../store/migrate.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey()

/** The tables of `tables.ts`. Types fit SQLite and PostgreSQL. */
export const realmMigrations: Migrations = {
  '0100-realm-model': {
    async up(database) {
      await createModel(database)
      await createRoles(database)
    },
  },
  '0101-realm-users': { up: createUsers },
  '0102-realm-sessions': { up: createSessions },
  '0103-realm-groups-by-hand': {
    up: ({ schema }: Kysely<unknown>) =>
      schema
        .alterTable('realm_groups')
        .addColumn('by_hand', 'integer', (column) => column.notNull().defaultTo(0))
        .execute(),
  },
}

async function createModel({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('realms')
    .addColumn('id', 'text', key)
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('json_settings', 'text', required)
    .execute()
  await schema
    .createTable('realm_clients')
    .addColumn('id', 'text', key)
    .addColumn('realm_id', 'text', required)
    .addColumn('client_id', 'text', required)
    .addColumn('json_representation', 'text', required)
    .addUniqueConstraint('realm_clients_name', ['realm_id', 'client_id'])
    .execute()
  await schema
    .createTable('realm_client_scopes')
    .addColumn('id', 'text', key)
    .addColumn('realm_id', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('json_representation', 'text', required)
    .addUniqueConstraint('realm_client_scopes_name', ['realm_id', 'name'])
    .execute()
  await schema
    .createTable('realm_groups')
    .addColumn('id', 'text', key)
    .addColumn('realm_id', 'text', required)
    .addColumn('parent_id', 'text')
    .addColumn('path', 'text', required)
    .addColumn('json_attributes', 'text', required)
    .addUniqueConstraint('realm_groups_path', ['realm_id', 'path'])
    .execute()
}

async function createRoles({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('realm_roles')
    .addColumn('id', 'text', key)
    .addColumn('realm_id', 'text', required)
    .addColumn('client_id', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('description', 'text')
    .addUniqueConstraint('realm_roles_name', ['realm_id', 'client_id', 'name'])
    .execute()
  await schema
    .createTable('realm_role_composites')
    .addColumn('parent_id', 'text', required)
    .addColumn('child_id', 'text', required)
    .addPrimaryKeyConstraint('realm_role_composites_key', ['parent_id', 'child_id'])
    .execute()
  await schema
    .createTable('realm_group_roles')
    .addColumn('group_id', 'text', required)
    .addColumn('role_id', 'text', required)
    .addPrimaryKeyConstraint('realm_group_roles_key', ['group_id', 'role_id'])
    .execute()
}

async function createUsers({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('realm_users')
    .addColumn('id', 'text', key)
    .addColumn('realm_id', 'text', required)
    .addColumn('username', 'text', required)
    .addColumn('email', 'text')
    .addColumn('unique_email', 'text')
    .addColumn('email_verified', 'integer', required)
    .addColumn('first_name', 'text')
    .addColumn('last_name', 'text')
    .addColumn('enabled', 'integer', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('json_attributes', 'text', required)
    .addColumn('json_required_actions', 'text', required)
    .addColumn('not_before', 'integer', required)
    .addColumn('service_account_client_id', 'text')
    .addUniqueConstraint('realm_users_name', ['realm_id', 'username'])
    .addUniqueConstraint('realm_users_email', ['realm_id', 'unique_email'])
    .execute()
  await schema.createIndex('realm_users_by_email').on('realm_users').columns(['realm_id', 'email']).execute()
  await schema
    .createTable('realm_credentials')
    .addColumn('id', 'text', key)
    .addColumn('user_id', 'text', required)
    .addColumn('type', 'text', required)
    .addColumn('json_secret', 'text', required)
    .addColumn('json_parameters', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .execute()
  await schema.createIndex('realm_credentials_by_user').on('realm_credentials').column('user_id').execute()
  await schema
    .createTable('realm_user_groups')
    .addColumn('user_id', 'text', required)
    .addColumn('group_id', 'text', required)
    .addPrimaryKeyConstraint('realm_user_groups_key', ['user_id', 'group_id'])
    .execute()
  await schema
    .createTable('realm_user_roles')
    .addColumn('user_id', 'text', required)
    .addColumn('role_id', 'text', required)
    .addPrimaryKeyConstraint('realm_user_roles_key', ['user_id', 'role_id'])
    .execute()
}

async function createSessions({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('realm_sessions')
    .addColumn('id', 'text', required)
    .addColumn('offline', 'integer', required)
    .addColumn('realm_id', 'text', required)
    .addColumn('user_id', 'text', required)
    .addColumn('started_at', 'bigint', required)
    .addColumn('last_refresh_at', 'bigint', required)
    .addColumn('authenticated_at', 'bigint')
    .addColumn('remember_me', 'integer', required)
    .addColumn('client_address', 'text', required)
    .addPrimaryKeyConstraint('realm_sessions_key', ['id', 'offline'])
    .execute()
  await schema.createIndex('realm_sessions_by_user').on('realm_sessions').column('user_id').execute()
  await schema
    .createTable('realm_client_sessions')
    .addColumn('session_id', 'text', required)
    .addColumn('offline', 'integer', required)
    .addColumn('client_id', 'text', required)
    .addColumn('started_at', 'bigint', required)
    .addColumn('acr', 'text', required)
    .addPrimaryKeyConstraint('realm_client_sessions_key', ['session_id', 'offline', 'client_id'])
    .execute()
}

import type { Migrations } from './migrate.ts'

/** The tables this room owns; a part with tables of its own brings its own migrations. Types fit SQLite and PostgreSQL. */
export const storeMigrations: Migrations = {
  '0001-records': {
    async up(database) {
      await database.schema
        .createTable('records')
        .addColumn('collection', 'text', (column) => column.notNull())
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('uses', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('version', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('records_key', ['collection', 'id'])
        .execute()
      await database.schema.createIndex('records_expiry').on('records').column('expires_at').execute()
    },
  },
  '0002-signing-keys': {
    async up(database) {
      await database.schema
        .createTable('signing_keys')
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('generation', 'integer', (column) => column.notNull())
        .addColumn('kid', 'text', (column) => column.notNull())
        .addColumn('algorithm', 'text', (column) => column.notNull())
        .addColumn('private_jwk', 'text', (column) => column.notNull())
        .addColumn('active_from', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('signing_keys_key', ['owner', 'generation'])
        .execute()
    },
  },
  '0003-journal': {
    async up(database) {
      await database.schema
        .createTable('journal')
        .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('entry', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute()
      await database.schema.createIndex('journal_expiry').on('journal').column('expires_at').execute()
    },
  },
}

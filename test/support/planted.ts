import type { Database } from './database.ts'

const marker = 'planted-secret-'

/** Password hashes and encrypted private keys, whose real values Better Auth needs, are long runs of hex digits. */
const secret = new RegExp(`${marker}|[0-9a-f]{120}`, 'i')

/** Where the first secret in a text is, with what stands before it; `null`: there is none. */
export function findSecret(text: string): string | null {
  const found = secret.exec(text)
  return found && text.slice(Math.max(0, found.index - 60), found.index + 60)
}

/** A secret to be stored where Better Auth itself writes none. */
export function planted(name: string): string {
  return `${marker}${name}`
}

/** Makes every secret that Better Auth will write to this database recognisable. */
export async function plantSecrets(sql: Database['sql']): Promise<void> {
  await sql(planting)
}

/** Reads everything that a gateway lets out. */
export class SecretWatch {
  readonly #found: string[] = []

  read(what: string, text: string): void {
    const found = findSecret(text)
    if (found !== null) this.#found.push(`${what} holds a secret: …${found}…`)
  }

  /** @throws Error when a secret has come out, now or before. */
  verify(): void {
    if (this.#found.length > 0) throw new Error(this.#found.join('\n'))
  }
}

/**
 * Values are changed on their way in, before Better Auth reads them back. Tokens that a test chooses are left alone.
 * What Better Auth does not write by itself, or looks for under its own value, is a row of its own.
 */
const planting = `
  create schema planted;

  create function planted.mark() returns trigger language plpgsql as $$
  declare field text;
  begin
    foreach field in array tg_argv loop
      new := jsonb_populate_record(new, jsonb_build_object(
        field, '${marker}' || coalesce(to_jsonb(new) ->> field, field)));
    end loop;
    return new;
  end $$;

  create trigger planted before insert on accounts
    for each row execute function planted.mark('access_token', 'refresh_token', 'id_token');
  create trigger planted before insert on sessions
    for each row when (new.token ~ '^[A-Za-z0-9]{32}$') execute function planted.mark('token');
  create trigger planted before insert on team_members
    for each row execute function planted.mark('membership_key');

  create function planted.add_second_factor() returns trigger language plpgsql as $$
  begin
    insert into two_factors (id, user_id, secret, backup_codes)
      values (new.id, new.id, '${marker}secret', '${marker}backup_codes');
    return null;
  end $$;

  create trigger planted after insert on users
    for each row execute function planted.add_second_factor();

  insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
    values ('planted', '${marker}identifier', '${marker}value', 'infinity', now(), now());
`

const TABLES =
  'product_template_version|product|deployment_change|deployment|work|lease|git_state|drift|event|idempotency|attached_row|attached_inbox|attached_column|repeatable_migration|migration|meta';
const FUNCTIONS = 'refuse|record_change_of_event|record_change|announce|place_event|keep_event';
const TOKENS = new RegExp(
  `\\?|\\b(FROM|JOIN|INTO|UPDATE|REFERENCES|ON|TABLE(?: IF NOT EXISTS)?) (${TABLES})\\b|\\bFUNCTION (${FUNCTIONS})\\b`,
  'g',
);
const KEPT = 500;

/**
 * Turns a statement as this package writes it into PostgreSQL's: numbered parameters, and tables and functions in their schema,
 * because a `search_path` would belong to the session, which is not ours.
 */
export function createPostgresTranslator(schema: string): (sql: string) => string {
  const known = new Map<string, string>();
  return (sql) => {
    const found = known.get(sql);
    if (found !== undefined) return found;
    let count = 0;
    const statement = sql.replace(TOKENS, (token, keyword?: string, table?: string, routine?: string) => {
      if (table !== undefined) return `${keyword} "${schema}".${table}`;
      if (routine !== undefined) return `FUNCTION "${schema}".${routine}`;
      count += 1;
      return token.replace('?', `$${count}`);
    });
    // The statements are few; more than this are the product of many different filters.
    if (known.size >= KEPT) known.clear();
    known.set(sql, statement);
    return statement;
  };
}

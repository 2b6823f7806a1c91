import { openDatabase } from '../../src/index.ts';

// Inserts one domain after the other and says each only after its commit.
const [folder = ''] = process.argv.slice(2);
const { db } = await openDatabase({ folder });
for (let index = 0; ; index += 1) {
  await db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('domains')
      .values({ name: `${index}.a.test` })
      .execute();
    await transaction
      .insertInto('domains')
      .values({ name: `${index}.b.test` })
      .execute();
  });
  process.stdout.write(`committed ${index}\n`);
}

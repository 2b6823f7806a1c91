import { tables, writePage } from './tables.ts';

for (const page of new Set(tables.map((table) => table.page))) {
  writePage(page);
  console.log(`docs/${page}`);
}

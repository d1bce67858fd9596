-- The shop of shop.sql for MySQL and MariaDB: what a small shop has, and some values that careless tools lose.
CREATE TABLE customers (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(100) NOT NULL,
  email varchar(200),
  rating float,
  joined_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY email (email)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO customers (name, email, rating, joined_at)
WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 900)
SELECT CONCAT(ELT(1 + i % 4, 'Ada', 'Jörg', 'O''Hara', '李'), ' ', i), IF(i % 9 = 0, NULL, CONCAT('c', i, '@example.com')), i / 7,
  '2024-01-01' + INTERVAL i HOUR
FROM numbers;

CREATE TABLE products (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  title varchar(200) NOT NULL,
  price decimal(10, 2) NOT NULL,
  kind enum('book', 'paper, ink', 'it''s') NOT NULL DEFAULT 'book',
  picture blob,
  price_with_tax decimal(12, 4) GENERATED ALWAYS AS (price * 1.19) STORED
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO products (title, price, kind, picture)
SELECT CONCAT('Product "', id, '"'), id * 1.37, 1 + id % 3, UNHEX(LPAD(HEX(id), 8, '0')) FROM customers WHERE id <= 200;

CREATE TABLE orders (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer int NOT NULL,
  ordered_at datetime(6) NOT NULL,
  note text,
  CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO orders (customer, ordered_at, note)
SELECT c.id, c.joined_at + INTERVAL p.id MINUTE, ELT(1 + (c.id + p.id) % 4, NULL, '', 'two\nlines', 'say "yes", please')
FROM customers c JOIN products p ON p.id <= 5 ORDER BY c.id, p.id;

CREATE TABLE order_lines (
  order_id bigint NOT NULL, line int NOT NULL, product int NOT NULL, quantity int NOT NULL, PRIMARY KEY (order_id, line),
  CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT lines_product FOREIGN KEY (product) REFERENCES products (id)
) ENGINE = InnoDB;
INSERT INTO order_lines SELECT o.id, p.id, 1 + (o.id * 7 + p.id) % 200, p.id FROM orders o JOIN products p ON p.id <= 3;

CREATE VIEW sales AS
SELECT p.title, SUM(l.quantity * p.price) AS total FROM order_lines l JOIN products p ON p.id = l.product GROUP BY p.id, p.title;
CREATE TABLE audit (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, what varchar(100) NOT NULL) ENGINE = InnoDB;
CREATE TRIGGER product_priced AFTER UPDATE ON products FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('price of ', NEW.id));
CREATE FUNCTION with_tax(amount decimal(10, 2)) RETURNS decimal(12, 4) DETERMINISTIC RETURN amount * 1.19;

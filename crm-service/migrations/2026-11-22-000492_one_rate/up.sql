-- One rule for the rate of a day, whoever asks: segments and grades ask it for the company's currency.
CREATE OR REPLACE FUNCTION rate_to_base(of_currency text, on_day date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT rate_of_day(of_currency, c.base_currency, c.reference_currency, on_day) FROM company c
$$;
DROP FUNCTION rate_of_pair(text, text, date);

DROP TABLE soft_demand, open_deal_totals, deal_stays, deal_steps, deal_lines, deals, loss_reasons, pipeline_stages,
    pipeline_versions, pipelines;
DROP FUNCTION refuse_deal_removal(), total_open_deals(), check_deal_stay(), refuse_published_stage_change();
